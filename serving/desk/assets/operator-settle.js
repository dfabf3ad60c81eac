// Settling: what the operator decided goes to the store once, however often the connection breaks on the way.
import { Refused, ask } from "./ask.js";

const AGAIN = 1000; // milliseconds before asking whether the first try has come through

/** Settle it; raises `Refused`. A key of its own makes a try again the same try. */
export async function settle(said) {
  const key = crypto.randomUUID?.() || [...crypto.getRandomValues(new Uint8Array(16))].join("-");
  for (;;) {
    try {
      return await ask("/desk/settle", { method: "POST", json: said, headers: { "idempotency-key": key } });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 409 || isTaken(error)) throw error;
      await new Promise((done) => setTimeout(done, AGAIN)); // the first try is still under way
    }
  }
}

/** Whether somebody else has settled the ticket. */
export const isTaken = (error) => error.status === 409 && Boolean(error.problem.errors?.some(({ path }) => path === "id"));

/** Correct once more what was settled. */
export function correctAgain(decision, codes, operator) {
  return ask("/v1/feedback", { method: "POST", json: { decision_id: decision, verdict: "corrected", operator, ...codes } });
}
