#!/bin/sh
# native-loop.sh JAVA JAR PORT UPSTREAM — an A2o at PORT whose backend of Anthropic's own API is another A2o, which asks UPSTREAM.
inner_port=$(($3 + 1))
"$1" -jar "$2" --port "$inner_port" --upstream "$4" & inner=$!
"$1" -jar "$2" --port "$3" --upstream "http://127.0.0.1:$inner_port/v1/messages" & outer=$!
trap 'kill "$inner" "$outer" 2>/dev/null' TERM INT
wait "$outer"
kill "$inner" 2>/dev/null
