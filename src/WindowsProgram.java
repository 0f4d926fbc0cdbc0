import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The file that Windows runs for the name of a command: npm installs {@code claude} as {@code claude.cmd},
 * but a {@link ProcessBuilder} tries no ending except {@code .exe}. Tested with files on Linux, not run on
 * Windows.
 */
final class WindowsProgram {
    private static final String USUAL_ENDINGS = ".COM;.EXE;.BAT;.CMD";

    private WindowsProgram() { }

    /** {@return the command as ProcessBuilder takes it on this system} */
    static List<String> onThisSystem(List<String> command) {
        boolean isWindows = File.separatorChar == '\\';
        if (!isWindows) return command;
        String path = Optional.ofNullable(System.getenv("PATH")).orElse(""); // there spelled Path, which only getenv finds by this name
        String endings = Optional.ofNullable(System.getenv("PATHEXT")).orElse(USUAL_ENDINGS);
        return found(command, path, endings);
    }

    /** {@return the command, its program replaced by the first match of PATH and PATHEXT, if there is one} */
    static List<String> found(List<String> command, String path, String endings) {
        for (String folder : path.split(File.pathSeparator)) {
            for (String ending : endings.split(";")) {
                var file = new File(folder, command.getFirst() + ending);
                if (!file.isFile()) continue;
                var found = new ArrayList<>(command);
                found.set(0, file.getPath());
                return found;
            }
        }
        return command;
    }
}
