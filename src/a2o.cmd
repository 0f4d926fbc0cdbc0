@echo off
rem a2o for Windows: runs the jar beside it on the runtime beside it, as in a bundle, or on a Java 21 or newer
rem in JAVA_HOME or on the PATH. JAVA_OPTS are options for that Java.
setlocal
set "java=java"
if defined JAVA_HOME set "java=%JAVA_HOME%\bin\java"
if exist "%~dp0runtime\bin\java.exe" set "java=%~dp0runtime\bin\java"
"%java%" -XX:+UseSerialGC -Xmx256m -XX:-UsePerfData %JAVA_OPTS% -jar "%~dp0a2o" %*
