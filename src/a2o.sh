#!/bin/sh
# a2o: the jar as a program. The jar is appended to these lines. In a bundle it runs on the runtime beside it; elsewhere it
# finds a Java 21 or newer, of which a JRE is enough. JAVA_OPTS are options for that Java.
set -u
program=$0
case $program in */*) ;; *) program=./$program ;; esac
while [ -h "$program" ]; do # a link to it, as /usr/bin/a2o
    target=$(readlink "$program")
    case $target in
        /*) program=$target ;;
        *) program=${program%/*}/$target ;;
    esac
done
folder=${program%/*}

is_new() { # is_new JAVA: by its release file where there is one, which is faster than to run it
    [ -x "$1" ] || return
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "${1%/bin/java}/release" 2>/dev/null)
    version=${version:-$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')}
    [ "${version:-0}" -ge 21 ]
}
find_java() {
    on_path=$(command -v java || :)
    for java in "${JAVA_HOME:-}/bin/java" "$(readlink -f "$on_path" 2>/dev/null || echo "$on_path")" \
            /usr/lib/jvm/*/bin/java /opt/*j[dr]k*/bin/java /opt/homebrew/opt/openjdk*/bin/java \
            "${HOME:-}"/.sdkman/candidates/java/*/bin/java /Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java; do
        is_new "$java" && return
    done
    cat >&2 <<'HELP'
a2o: no Java 21 or newer found in JAVA_HOME, on the PATH or in the usual places. Install one:
  Debian 13, Ubuntu    sudo apt install openjdk-21-jre-headless
  Fedora, RHEL         sudo dnf install java-21-openjdk-headless
  macOS                brew install openjdk
  any                  https://adoptium.net, then set JAVA_HOME to its folder
or take the bundle of A2o, which brings its own.
HELP
    exit 1
}

# Without a UTF-8 locale, Java misreads arguments and names of files that are not ASCII.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in '' | C | POSIX) LC_ALL=C.UTF-8; export LC_ALL ;; esac

# A small heap and the collector that costs least are enough for a proxy. What the user has set is kept.
given="${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-} ${JAVA_OPTS:-}"
# shellcheck disable=SC2086 # JAVA_OPTS are several words
set -- -XX:-UsePerfData ${JAVA_OPTS:-} -jar "$program" "$@"
case $given in *-XX:+Use*GC*) ;; *) set -- -XX:+UseSerialGC "$@" ;; esac
case $given in *-Xmx* | *-XX:MaxHeapSize=* | *RAMPercentage=*) ;; *) set -- -Xmx256m "$@" ;; esac

if [ -x "$folder/runtime/bin/java" ]; then
    java=$folder/runtime/bin/java
    # The JVM ignores a cache that does not fit, and without the second option it says so at each start.
    [ ! -f "$folder/a2o.aot" ] || set -- "-XX:AOTCache=$folder/a2o.aot" '-Xlog:aot*=off' "$@"
else
    find_java
fi
exec "$java" "$@"
