/** Where the jar starts: built for Java 8, so that an older Java can say that a newer one is needed. */
final class Start {
    public static void main(String[] args) throws Exception {
        String version = System.getProperty("java.specification.version"); // 1.8, 17, 21
        if (Double.parseDouble(version) >= 21) {
            A2o.main(args);
        } else {
            System.err.printf("a2o needs Java 21 or newer; this is Java %s, in %s%n", version,
                    System.getProperty("java.home"));
            System.err.printf("install one, as package openjdk-21-jre or temurin-25-jre, "
                    + "and start a2o with its java%n");
            System.exit(1);
        }
    }
}
