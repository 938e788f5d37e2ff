# Owns one private PostgreSQL cluster for as long as its standard input stays open.
# $1: folder of the programs, $2: folder of the cluster. Answers "done" or "failed".
programs=$1
home=$2

say() { if "$@" >>"$home/log" 2>&1 </dev/null; then echo done; else echo failed; fi; }

create() {
  "$programs/initdb" -D "$home/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync || return 1
  cat >>"$home/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$home'
port = 5432
max_connections = 300
shared_buffers = 64MB
# A test machine that loses power loses its tests: no need to wait for the disk.
fsync = off
full_page_writes = off
END
}

control() { "$programs/pg_ctl" -D "$home/data" -l "$home/log" -w "$@"; }

# Processes of the server that was started, as "PID PARENT" lines.
children() { ps -A -o pid= -o ppid= | while read -r pid parent; do [ "$parent" = "$1" ] && echo "$pid"; done; }

# Sends signal $1 to the backends and, unless $2 is "backends", to the server that made them.
signal_all() {
  postmaster=$(head -n 1 "$home/data/postmaster.pid") || return 1
  all=$(children "$postmaster")
  [ "$2" = backends ] || all="$postmaster $all"
  # One may have ended meanwhile.
  for pid in $all; do kill -s "$1" "$pid" || true; done
}

# Puts PgBouncer before the server, in mode $1, at port 6432 of the same folder.
pool() {
  unpool
  cat >"$home/pool.ini" <<END
[databases]
* = host=$home port=5432 user=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $home
auth_type = any
pool_mode = $1
pidfile = $home/pool.pid
logfile = $home/pool.log
END
  pgbouncer -d -q "$home/pool.ini" || return 1
  # It is there when its socket is.
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -S "$home/.s.PGSQL.6432" ] && return 0
    sleep 0.1
  done
  return 1
}

unpool() {
  [ -f "$home/pool.pid" ] || return 0
  kill -s TERM "$(cat "$home/pool.pid")"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -f "$home/pool.pid" ] || return 0
    sleep 0.1
  done
  return 1
}

while read -r order; do
  case $order in
    create) say create ;;
    start) say control start ;;
    stop) say control -m fast stop ;;
    kill) say control -m immediate stop ;;
    freeze) say signal_all STOP server ;;
    freeze_backends) say signal_all STOP backends ;;
    pool_session) say pool session ;;
    pool_transaction) say pool transaction ;;
    thaw) say signal_all CONT server ;;
  esac
done

signal_all CONT server >/dev/null 2>&1 </dev/null
unpool >/dev/null 2>&1 </dev/null
control -m immediate stop >/dev/null 2>&1 </dev/null
cd /
rm -rf "$home"
