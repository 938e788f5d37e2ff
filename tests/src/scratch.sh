# Keeps count of the test's live servers; at end-of-file kills them and removes the folder $1.
live=' '
while read -r change pid; do
  case $change in
    born) live="$live$pid " ;;
    died) live="${live%%" $pid "*} ${live#*" $pid "}" ;;
  esac
done
for pid in $live; do
  kill -KILL "$pid" 2>/dev/null
done
cd /
rm -rf "$1"
