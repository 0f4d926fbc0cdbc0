#!/bin/sh
# build.sh jar|single|dist|test|soak|clients|real|bench|aot|run|clean; needs a JDK 21 or newer (in JAVA_HOME, PATH or a usual place).
#   jar     build/a2o.jar      single   build/A2o.java, the one-file edition; RunTest proves that it serves the same
#   dist    build/dist: both, a2o, which is the jar as a program, and checksums      run   the proxy; without --upstream: demo
#   test    all tests; needs JUnit, which Maven fetches, or JUNIT_JAR=path of the console launcher
#           TEST_JAVA=path runs them on another java, of 21 or newer, as they are compiled for 21
#   soak    at length, what tests with random faults and input do in short; -Dsoak.seed=N, -Dfuzz.seed=N: with others
#   clients SDKs and Claude Code on A2o     real     a small real model     bench   what it costs: [--quick] [--svg FILE]
#   aot     build/a2o.aot, for a faster start: java -XX:AOTCache=build/a2o.aot -jar …
set -eu
caller=$PWD self=$(printf %s "$0" | sed 's/[^A-Za-z0-9_./-]/\\&/g') # a word for a shell
CDPATH='' cd -- "$(dirname "$0")"
JUNIT=org.junit.platform:junit-platform-console-standalone:1.14.1
JUNIT_SHA256=a09c656d60ada792cf12ed1e8dc7ead3edc98dde034332e97dfcb5b4268b9072
die() { echo "build.sh: $*" >&2; exit 1; }
absolute() { case $1 in /*) echo "$1" ;; *) echo "$caller/$1" ;; esac; } # the path of a file that the caller has named
sha256() { sha256sum "$@" 2>/dev/null || shasum -a 256 "$@"; }
find_jdk() {
    for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /)")")")" /usr/lib/jvm/* /opt/*j[dr]k* \
            "$HOME"/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        [ -x "$home/bin/javac" ] && [ -x "$home/bin/java" ] || continue
        version=$("$home/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
        [ "${version:-0}" -ge 21 ] && bin=$home/bin && return
    done
    die "no JDK 21 or newer found: install one (as package openjdk-21-jdk or temurin-25-jdk) or set JAVA_HOME"
}
compile() { # compile DIRECTORY OPTION... FILE...
    rm -rf "$1" && mkdir -p "$1"
    "$bin/javac" -J-XX:TieredStopAtLevel=1 --release 21 -encoding UTF-8 -Xlint:all,-serial -Werror -d "$@"
}
jar() {
    compile build/classes src/*.java src/*/*.java
    "$bin/javac" -J-XX:TieredStopAtLevel=1 --release 8 -Xlint:-options -cp build/classes -d build/classes src/Start.java
    (cd build/classes && LC_ALL=C && export LC_ALL && "$bin/jar" --create --file ../a2o.jar --date 2026-01-01T00:00:00Z --main-class Start *.class */*.class)
}
single() {
    mkdir -p build
    { echo "// A2o, the one-file edition, for JDK 21 or newer: java A2o.java --help"
        cat src/*.java src/*/*.java | grep -E '^import (com\.sun|javax?)\.' | LC_ALL=C sort -u # the JDK's; the others stand below
        for file in src/A2o.java $(ls src/*.java src/*/*.java | grep -Ev '/(A2o|package-info)\.java'); do
            grep -Ev '^(package|import) ' "$file" | sed 's/^public //' # of a type: one file may hold one public type alone
        done
    } | cat -s > build/A2o.java
    compile build/single build/A2o.java
}
dist() {
    jar; single; rm -rf build/dist; mkdir build/dist; cp build/a2o.jar build/A2o.java build/dist
    { printf '#!/bin/sh\nexec "${JAVA_HOME:+$JAVA_HOME/bin/}java" $JAVA_OPTS -jar "$0" "$@"\n'; cat build/a2o.jar; } > build/dist/a2o
    chmod +x build/dist/a2o; (cd build/dist; sha256 a2o a2o.jar A2o.java > SHA256SUMS; cat SHA256SUMS)
}
fetch_junit() {
    junit=${JUNIT_JAR:+$(absolute "$JUNIT_JAR")}
    junit=${junit:-build/lib/$(echo "${JUNIT#*:}" | tr : -).jar}
    [ -f "$junit" ] || { command -v mvn >/dev/null || die "the tests need Maven, to fetch $JUNIT, or JUNIT_JAR=path of that jar"
        mvn -q --batch-mode dependency:copy -Dartifact="$JUNIT" -DoutputDirectory="$PWD/build/lib" || die "Maven could not fetch $JUNIT"; }
    [ -n "${JUNIT_JAR:-}" ] || [ "$(sha256 "$junit" | cut -d ' ' -f 1)" = "$JUNIT_SHA256" ] ||
        die "$junit is not the file that was expected; delete it and try again"
}
run_tests() { # run_tests SELECTORS JAVA_OPTION...; how much at once is in test/junit-platform.properties
    selectors=$1 status=0; shift; jar; fetch_junit; single & proof=$!
    compile build/test -cp "build/classes:$junit" test/*.java test/testing/*.java \
        $(ls -d src/*/ | sed 's|^src\(.*\)|test\1*.java|'); wait $proof
    "${TEST_JAVA:-$bin/java}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms512m -Djava.util.logging.config.file=test/logging.properties \
        "$@" -jar "$junit" execute --class-path build/classes:build/test:test \
        $selectors --disable-banner --disable-ansi-colors --details "${DETAILS:-summary}" > build/test.log 2>&1 || status=$?
    cat build/test.log
    count() { sed -n "s/^\[ *\([0-9]*\) $1 *\]\$/\1/p" build/test.log; }
    passed=$(count "tests successful"); [ "${passed:-0}" -gt 0 ] || [ $status -ne 0 ] || status=1
    echo "${passed:-0} passed, $(($(count "tests failed") + $(count "containers failed"))) failed"; exit $status
}
fresh_jar() { [ -f build/a2o.jar ] && [ -z "$(find src build.sh -newer build/a2o.jar)" ] || jar; }
bench() {
    fresh_jar; compile build/bench test/bench/*.java; before=
    for word do
        shift; [ "$before" != --svg ] || word=$(absolute "$word")
        before=$word; set -- "$@" "$word"
    done
    exec "$bin/java" -cp build/bench Bench "$@"
}
run() { # in the caller's directory: there the command starts, and from there names of files count
    fresh_jar; home=$PWD
    A2O_UPSTREAM=${A2O_UPSTREAM:-demo}; export A2O_UPSTREAM # an --upstream, or a URL, counts before it
    cd -- "$caller"
    exec "$bin/java" -Da2o.command="$self run" -jar "$home/build/a2o.jar" "$@"
}
verb=${1:-}; [ $# -eq 0 ] || shift
case $verb in
    jar | single | dist | bench | run) find_jdk; $verb "$@" ;;
    test) find_jdk; run_tests --scan-class-path=build/test ;;
    soak) find_jdk; run_tests '--select-class=serve.SoakTest --select-class=translate.FuzzTest' -Dsoak=2000 -Dfuzz=100000 "$@" ;;
    clients | real) find_jdk; jar; JAVA=$bin/java test/$verb/run.sh "$@" ;;
    aot) find_jdk; [ "$version" -ge 25 ] || die "an AOT cache needs JDK 25 or newer, this is $version: set JAVA_HOME"; bench --train build/a2o.aot ;;
    clean) rm -rf build ;;
    *) sed -n '2,9s/^# //p' "${0##*/}"; exit 2 ;;
esac
