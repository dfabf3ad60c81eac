// Times as people say them, in the office's own time zone: as the service wrote them.
import { say } from "./say.js";

const WRITTEN = /^\d+-(\d+)-(\d+)T(\d+:\d+)/;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A day and a time. */
export function moment(iso) {
  const [, month, day, time] = WRITTEN.exec(iso) || [];
  return month ? say("{month}月{day}日 {time}", { month: Number(month), day: Number(day), time }) : iso;
}

/** How long until then. */
export function left(iso, now = Date.now()) {
  const ms = Date.parse(iso) - now;
  if (ms < 0) return say("已超期");
  if (ms >= 2 * DAY) return say("还有 {n} 天", { n: Math.round(ms / DAY) });
  if (ms >= 1.5 * HOUR) return say("还有 {n} 小时", { n: Math.round(ms / HOUR) });
  return say("还有 {n} 分钟", { n: Math.round(ms / MINUTE) });
}
