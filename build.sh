#!/bin/sh
# build.sh VERB; needs a JDK 21 or newer (in JAVA_HOME, PATH or a usual place).
#   jar       build/a2o.jar, and build/a2o, which is the jar as a program      run   that; without --upstream: demo
#   single    build/A2o.java, the one-file edition; RunTest proves that it serves the same
#   bundle    build/bundle: A2o with its own Java, as a folder and a .tar.xz; with JDK 25 a cache for a faster start
#   deb       build/a2o_VERSION_ARCH.deb: the bundle as a Debian package
#   dist      build/dist: jar, one-file edition and program, with checksums
#   test      all tests; needs JUnit, which Maven fetches, or JUNIT_JAR=path of the console launcher
#             TEST_JAVA=path runs them on another java, of 21 or newer, as they are compiled for 21
#   packages  makes bundle, deb and dist, and tries them     clients   SDKs and Claude Code on A2o
#   soak      at length, what tests with random faults and input do in short; -Dsoak.seed=N, -Dfuzz.seed=N: with others
#   real      a small real model     bench   what it costs: [--quick] [--svg FILE] [--compare JAR]…
#   aot       build/a2o.aot, for a faster start: java -XX:AOTCache=build/a2o.aot -jar …     clean
set -eu
caller=$PWD
CDPATH='' cd -- "$(dirname "$0")"
QUICK='-J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC' # of a compiler that runs for seconds
JUNIT=org.junit.platform:junit-platform-console-standalone:1.14.1
JUNIT_SHA256=a09c656d60ada792cf12ed1e8dc7ead3edc98dde034332e97dfcb5b4268b9072
MODULES=java.base,java.logging,java.net.http,jdk.httpserver # of the JDK, which A2o uses; BundleTest compares
VERSION=$(sed -n 's/.* VERSION = "\(.*\)";/\1/p' src/config/Options.java)
die() { echo "build.sh: $*" >&2; exit 1; }
absolute() { case $1 in /*) echo "$1" ;; *) echo "$caller/$1" ;; esac; } # the path of a file that the caller has named
sha256() { sha256sum "$@" 2>/dev/null || shasum -a 256 "$@"; }
find_jdk() {
    for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /)")")")" /usr/lib/jvm/* \
            /opt/*j[dr]k* /opt/homebrew/opt/openjdk* "${HOME:-}"/.sdkman/candidates/java/* \
            /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        if [ -x "$home/bin/javac" ] && [ -x "$home/bin/java" ]; then
            version=$("$home/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
            [ "${version:-0}" -ge 21 ] && bin=$home/bin && return
        fi
    done
    die "no JDK 21 or newer found: install one (as package openjdk-21-jdk or temurin-25-jdk) or set JAVA_HOME"
}
compile() { # compile DIRECTORY OPTION... FILE...
    rm -rf "$1" && mkdir -p "$1"
    # shellcheck disable=SC2086 # two words
    "$bin/javac" $QUICK --release 21 -encoding UTF-8 -Xlint:all,-serial -Werror -d "$@"
}
jar() {
    compile build/classes src/*.java src/*/*.java
    # shellcheck disable=SC2086 # two words
    "$bin/javac" $QUICK --release 8 -Xlint:-options -cp build/classes -d build/classes src/Start.java
    (cd build/classes && LC_ALL=C && export LC_ALL &&
        "$bin/jar" --create --file ../a2o.jar --date 2026-01-01T00:00:00Z --main-class Start ./*.class ./*/*.class)
    cat src/a2o.sh build/a2o.jar > build/a2o && chmod +x build/a2o
}
fresh_jar() {
    if [ -f build/a2o ] && [ -z "$(find src build.sh -newer build/a2o)" ]; then return; fi
    echo "build.sh: building build/a2o.jar …" >&2; jar
}
one_file() {
    mkdir -p build
    # shellcheck disable=SC2016 # for the shell that runs the file
    {   echo '///usr/bin/env jbang "$0" "$@" ; exit $?'
        echo "// A2o, the one-file edition: java A2o.java --help, with JDK 21 or newer; or jbang A2o.java, which fetches a JDK"
        echo "//JAVA 21+"
        cat src/*.java src/*/*.java | grep -E '^import (com\.sun|javax?)\.' | LC_ALL=C sort -u # the JDK's; the others stand below
        for file in src/A2o.java src/*.java src/*/*.java; do
            case $file in */package-info.java) continue ;; src/A2o.java) [ -z "${first:-}" ] || continue; first=A2o ;; esac
            grep -Ev '^(package|import) ' "$file" | sed 's/^public //' # of a type: one file may hold one public type alone
        done
    } | cat -s > build/A2o.java
}
single() { one_file; compile build/single build/A2o.java; }
dist() {
    jar; single; rm -rf build/dist; mkdir build/dist
    cp build/a2o build/a2o.jar build/A2o.java src/a2o.cmd build/dist
    (cd build/dist; sha256 a2o a2o.cmd a2o.jar A2o.java > SHA256SUMS; cat SHA256SUMS)
}
folder() { # build/bundle/a2o, yet without a cache
    [ -x "$bin/jlink" ] || die "a bundle needs a JDK with jlink, which is not in $bin"
    fresh_jar; rm -rf build/bundle; mkdir -p build/bundle/a2o
    modules=$MODULES
    [ "$version" -ge 22 ] || modules=$modules,jdk.crypto.ec # for TLS; since 22 in java.base
    "$bin/jlink" --add-modules "$modules" --strip-java-debug-attributes --no-man-pages --no-header-files \
        --output build/bundle/a2o/runtime || die "jlink lacks a module; some systems have it in a package of its own (jmods)"
    cp build/a2o LICENSE README.md build/bundle/a2o
    [ ! -f build/bundle/a2o/runtime/bin/java.exe ] || cp src/a2o.cmd build/bundle/a2o
}
train() { # train FILE JAVA JAR: writes the AOT cache FILE for that jar on that java, by a run of the benchmark's loads
    compile build/bench test/bench/*.java
    "$bin/java" -cp build/bench Bench --train "$@"
}
cached_folder() {
    umask 022; folder
    if [ "$version" -ge 25 ]; then
        train build/bundle/a2o/a2o.aot build/bundle/a2o/runtime/bin/java build/bundle/a2o/a2o
    else
        build/bundle/a2o/runtime/bin/java -Xshare:dump >/dev/null # of the JDK's classes, where it is looked for
        echo "build.sh: without a cache of A2o's own classes: JDK $version cannot make one, 25 can" >&2
    fi
}
archive() {
    if ! command -v xz >/dev/null; then
        echo "build.sh: build/bundle/a2o is complete, but not its archive: xz is missing (package xz-utils)" >&2; return
    fi
    archive=build/bundle/a2o-$VERSION-$(uname -sm | tr 'A-Z ' 'a-z-').tar.xz
    owner=$(tar --version | sed -n '/GNU/s/.*/--owner=0 --group=0/p') # other tars keep the files' own
    # shellcheck disable=SC2086 # two words
    tar -c $owner -C build/bundle a2o | xz -T0 > "$archive"
    sha256 "$archive"
}
debian_package() {
    root=build/deb arch=$(dpkg --print-architecture)
    rm -rf $root; mkdir -p $root/DEBIAN $root/usr/bin $root/usr/lib $root/usr/share/doc/a2o
    cp -Rp build/bundle/a2o $root/usr/lib; ln -s ../lib/a2o/a2o $root/usr/bin/a2o
    mv $root/usr/lib/a2o/LICENSE $root/usr/share/doc/a2o/copyright
    mv $root/usr/lib/a2o/README.md $root/usr/share/doc/a2o
    cat > $root/DEBIAN/control <<CONTROL
Package: a2o
Version: $VERSION
Architecture: $arch
Maintainer: A2o <a2o@localhost>
Installed-Size: $(du -sk $root/usr | cut -f 1)
Depends: libc6, libstdc++6, zlib1g
Section: net
Priority: optional
Description: proxy from the Anthropic Messages API to OpenAI-compatible backends
 It lets Claude Code, and other clients of that API, run on any backend with an
 OpenAI-compatible one. It brings its own Java.
CONTROL
    dpkg-deb --root-owner-group -Zxz --build $root "build/a2o_${VERSION}_$arch.deb"
}
bundle() { cached_folder; archive; }
deb() {
    command -v dpkg-deb >/dev/null || die "a Debian package needs dpkg-deb (package dpkg), which Debian and its kin have"
    cached_folder; debian_package
}
packages() {
    dist; bundle; if command -v dpkg-deb >/dev/null; then debian_package; fi
    exec test/packages/run.sh
}
fetch_junit() {
    junit=${JUNIT_JAR:+$(absolute "$JUNIT_JAR")}
    junit=${junit:-build/lib/$(echo "${JUNIT#*:}" | tr : -).jar}
    [ -f "$junit" ] || { command -v mvn >/dev/null || die "the tests need Maven, to fetch $JUNIT, or JUNIT_JAR=path of that jar"
        mvn -q --batch-mode dependency:copy -Dartifact="$JUNIT" -DoutputDirectory="$PWD/build/lib" || die "Maven could not fetch $JUNIT"; }
    [ -n "${JUNIT_JAR:-}" ] || [ "$(sha256 "$junit" | cut -d ' ' -f 1)" = "$JUNIT_SHA256" ] ||
        die "$junit is not the file that was expected; delete it and try again"
}
# run_tests SELECTORS JAVA_OPTION...; how much at once is in test/junit-platform.properties. RunTest compiles the one file
run_tests() {
    selectors=$1 status=0; shift; jar; fetch_junit
    { one_file; (folder) || rm -rf build/bundle; } & made=$! # tests of a bundle are left out where none can be made
    # shellcheck disable=SC2046,SC2012 # several files; their names are plain
    compile build/test -cp "build/classes:$junit" test/*.java test/testing/*.java \
        $(ls -d src/*/ | sed 's|^src\(.*\)|test\1*.java|'); wait $made
    # shellcheck disable=SC2086 # several words
    "${TEST_JAVA:-$bin/java}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms512m -Djava.util.logging.config.file=test/logging.properties \
        "$@" -jar "$junit" execute --class-path build/classes:build/test:test \
        $selectors --disable-banner --disable-ansi-colors --details "${DETAILS:-summary}" > build/test.log 2>&1 || status=$?
    cat build/test.log
    count() { sed -n "s/^\[ *\([0-9]*\) $1 *\]\$/\1/p" build/test.log; }
    passed=$(count "tests successful"); [ "${passed:-0}" -gt 0 ] || [ $status -ne 0 ] || status=1
    echo "${passed:-0} passed, $(($(count "tests failed") + $(count "containers failed"))) failed"; exit $status
}
bench() {
    fresh_jar; compile build/bench test/bench/*.java; before=
    for word do
        shift; case $before in --svg | --compare) word=$(absolute "$word") ;; esac
        before=$word; set -- "$@" "$word"
    done
    exec "$bin/java" -cp build/bench Bench "$@"
}
aot() {
    [ "$version" -ge 25 ] || die "an AOT cache needs JDK 25 or newer, this is $version: set JAVA_HOME"
    fresh_jar; train build/a2o.aot "$bin/java" build/a2o.jar
}
run() { # in the caller's directory: there the command starts, and from there names of files count
    fresh_jar; home=$PWD
    A2O_UPSTREAM=${A2O_UPSTREAM:-demo}; export A2O_UPSTREAM # an --upstream, or a URL, counts before it
    cd -- "$caller"
    exec "$home/build/a2o" "$@"
}
verb=${1:-}; [ $# -eq 0 ] || shift
case $verb in
    jar | single | bundle | deb | dist | packages | bench | aot | run) find_jdk; $verb "$@" ;;
    test) find_jdk; run_tests --scan-class-path=build/test ;;
    soak) find_jdk; run_tests '--select-class=serve.SoakTest --select-class=translate.FuzzTest' -Dsoak=2000 -Dfuzz=100000 "$@" ;;
    clients | real) find_jdk; jar; JAVA=$bin/java "test/$verb/run.sh" "$@" ;;
    clean) rm -rf build ;;
    *) sed -n '2,/^set -eu/s/^# //p' "${0##*/}"; exit 2 ;;
esac
