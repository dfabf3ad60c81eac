#!/usr/bin/env bash
# Install what the system tests need, where this may be done; else say what is missing and fail.
set -euo pipefail
missing=()
command -v unshare >/dev/null || missing+=(util-linux)
command -v wrk >/dev/null || missing+=(wrk)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v openssl >/dev/null || missing+=(openssl)
command -v curl >/dev/null || missing+=(curl)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(libfaketime)
command -v chromium >/dev/null || missing+=(chromium)
fc-list 2>/dev/null | grep -qi "noto sans cjk" || missing+=(fonts-noto-cjk fontconfig)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null || missing+=(mariadb-server-core mariadb-client-core)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "缺少系统软件包：${missing[*]}（请以 root 运行 apt-get install ${missing[*]}）" >&2
  exit 1
fi
# The tests start clusters of their own: Debian's is not to be made, let alone started.
if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi
apt-get update -qq
UCF_FORCE_CONFFOLD=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
