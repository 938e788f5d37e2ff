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

while read -r order; do
  case $order in
    create) say create ;;
    start) say control start ;;
    stop) say control -m fast stop ;;
    kill) say control -m immediate stop ;;
  esac
done

control -m immediate stop >/dev/null 2>&1 </dev/null
cd /
rm -rf "$home"
