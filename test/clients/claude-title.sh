#!/bin/sh
# claude-title.sh — stands for Claude Code in run-claude.sh: asks the real one, which is $CLAUDE, for a session's title, as an SDK does.
set -eu
mkfifo "$HOME/requests"
"$CLAUDE" -p --input-format stream-json --output-format stream-json --verbose <"$HOME/requests" | {
    exec 3>"$HOME/requests"
    cat >&3 <<'REQUESTS'
{"type":"control_request","request_id":"1","request":{"subtype":"initialize"}}
{"type":"control_request","request_id":"2","request":{"subtype":"generate_session_title","description":"Mend the shop's login","persist":false}}
REQUESTS
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in *'"request_id":"2"'*) exec 3>&- ;; esac
    done
}
