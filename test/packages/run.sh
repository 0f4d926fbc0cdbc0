#!/bin/sh
# test/packages/run.sh: tries what ./build.sh packages has made as a stranger would have it: unpacked elsewhere, in a folder
# with a space that cannot be written, by a user without a home, without a Java on the PATH. The last line counts.
set -u
build=$(cd "$(dirname "$0")/../../build" && pwd)
place=$(mktemp -d "${TMPDIR:-/tmp}/a2o packages.XXXXXX")
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT
trap 'exit 1' INT TERM
passed=0 failed=0
chmod 755 "$place"; mkdir "$place/empty" "$place/open"; chmod 777 "$place/open"

# claim TEXT COMMAND...: passes if the command ends well
claim() {
    text=$1; shift
    if "$@" > "$place/said" 2>&1; then passed=$((passed + 1)); echo "ok    $text"
    else failed=$((failed + 1)); echo "FAIL  $text"; sed 's/^/      /' "$place/said"; fi
}
# as_stranger COMMAND...: in an empty environment, from a folder elsewhere, not as root
as_stranger() {
    set -- env "$@"
    if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
        set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
    fi
    (cd "$place/open" && env -i "$@")
}
says_version() { said=$(as_stranger "$@" --version 2>&1); echo "$said"; [ "$said" = "a2o $version" ]; } # and nothing else
cat > "$place/ask" <<'ASK'
curl -sN --max-time 60 --noproxy '*' "$ANTHROPIC_BASE_URL/v1/messages" -d '{"model":"any","max_tokens":99,"stream":true,
    "messages":[{"role":"user","content":"Say hi."}]}'
ASK
answers() { # answers PROGRAM: a streamed reply of the backend that is built in, whole
    as_stranger PATH=/usr/bin:/bin JAVA_HOME="${JAVA_HOME:-}" "$1" --upstream demo -- sh "$place/ask" | tee "$place/reply"
    grep -q '^event: message_stop' "$place/reply"
}
starts_from_cache() {
    as_stranger JAVA_OPTS=-Xlog:class+load:file=classes.log "$1" --version &&
        grep -q ' A2o source: shared objects file' "$place/open/classes.log"
}
version=$(sed -n 's/.* VERSION = "\(.*\)";/\1/p' "$build/../src/config/Options.java")

mkdir "$place/my programs"; tar -xJf "$build"/bundle/a2o-*.tar.xz -C "$place/my programs"
chmod -R a-w "$place/my programs"; a2o="$place/my programs/a2o/a2o"
claim "the bundle runs with no Java on the PATH, no HOME, a space in its path" says_version PATH="$place/empty" "$a2o"
claim "the bundle runs with nothing in its environment" says_version "$a2o"
ln -s "$a2o" "$place/a2o"
claim "the bundle runs through a link" says_version "$place/a2o"
claim "the bundle serves from a folder that cannot be written" answers "$a2o"
claim "the bundle tries a backend" as_stranger "$a2o" --upstream demo --check
claim "the bundle minds another collector and heap" says_version JAVA_OPTS="-XX:+UseG1GC -Xmx64m" "$a2o"
if [ -f "$build/bundle/a2o/a2o.aot" ]; then
    claim "the cache is used after the move" starts_from_cache "$a2o"
    cp -R "$place/my programs" "$place/copy"; chmod -R u+w "$place/copy"
    claim "a copy with other times runs" says_version "$place/copy/a2o/a2o"
    head -c 100000 "$a2o.aot" > "$place/copy/a2o/a2o.aot"
    claim "a cache that is spoilt is ignored without a word" says_version "$place/copy/a2o/a2o"
    rm "$place/copy/a2o/a2o.aot"
    claim "without its cache it runs" says_version "$place/copy/a2o/a2o"
fi
for package in "$build"/a2o_*.deb; do
    [ -f "$package" ] || continue
    dpkg-deb -x "$package" "$place/root"; chmod 755 "$place/root"
    claim "the Debian package runs" says_version "$place/root/usr/bin/a2o"
    claim "the Debian package serves" answers "$place/root/usr/bin/a2o"
    [ ! -f "$build/bundle/a2o/a2o.aot" ] || claim "the Debian package has its cache" starts_from_cache "$place/root/usr/bin/a2o"
done
cp -R "$build/dist" "$place/dist"
claim "the program runs on a Java that it finds" says_version PATH=/usr/bin:/bin JAVA_HOME="${JAVA_HOME:-}" "$place/dist/a2o"
claim "the program serves" answers "$place/dist/a2o"
sums_are_right() { (cd "$1" && { sha256sum -c SHA256SUMS || shasum -a 256 -c SHA256SUMS; }); }
claim "the checksums are right" sums_are_right "$place/dist"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
