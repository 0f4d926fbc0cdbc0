#!/bin/sh
# two-backends.sh JAVA JAR PORT UPSTREAM — an A2o at PORT that has small models asked for at UPSTREAM, and all others at a backend that
# dies, then at UPSTREAM too. When it is ended, it prints the data of A2o's page; A2o does not get the signal before that.
dying_port=$(($3 + 1))
node "$(dirname "$0")/dying.mjs" "$dying_port" & dying=$!
setsid "$1" -jar "$2" --port "$3" --upstream "local=$4" --upstream "cloud=http://127.0.0.1:$dying_port/v1" \
    --map '*haiku*=small@local' --map '*=big@cloud,local' & proxy=$!
end() {
    node -e "fetch('http://127.0.0.1:$3/status.json').then(reply => reply.text()).then(console.log)"
    kill "$dying" "$proxy" 2>/dev/null
}
trap 'end "$@"' TERM INT
wait "$proxy"
wait "$proxy"
