package upstream;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * The TLS settings for a backend where the JDK's default will not do: for http, where no certificates need be
 * read, and for {@code --ca-cert}. Neither trusts less than it is told, and none trusts all.
 */
final class Tls {
    /** In place of TLS for a backend with http: the JDK's default would take 100 ms to read certificates. */
    private static final class NoTls extends SSLContextSpi {
        private static final SSLParameters NONE = new SSLParameters(new String[0], new String[0]);

        @Override protected void engineInit(KeyManager[] keys, TrustManager[] trusted, SecureRandom any) { }
        @Override protected SSLParameters engineGetDefaultSSLParameters() { return NONE; }
        @Override protected SSLParameters engineGetSupportedSSLParameters() { return NONE; }
        @Override protected SSLSocketFactory engineGetSocketFactory() { return null; }
        @Override protected SSLServerSocketFactory engineGetServerSocketFactory() { return null; }
        @Override protected SSLEngine engineCreateSSLEngine() { return null; }
        @Override protected SSLEngine engineCreateSSLEngine(String host, int port) { return null; }
        @Override protected SSLSessionContext engineGetServerSessionContext() { return null; }
        @Override protected SSLSessionContext engineGetClientSessionContext() { return null; }
    }

    private Tls() { }

    /** {@return what stands for TLS at a backend with http; it makes no connections} */
    static SSLContext none() { return new SSLContext(new NoTls(), null, "none") { }; }

    /** {@return TLS that trusts the certificates in a PEM file besides the JDK's} */
    static SSLContext trusting(String file) throws IOException {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            CertificateFactory reader = CertificateFactory.getInstance("X.509");
            List<Certificate> added = List.copyOf(reader.generateCertificates(in));
            if (added.isEmpty()) throw new IOException("it holds no certificate");
            List<Certificate> trusted = new ArrayList<>(trustedByJdk());
            trusted.addAll(added);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory(keyStore(trusted)).getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IOException("--ca-cert %s cannot be read: %s".formatted(file, e), e);
        }
    }

    private static List<Certificate> trustedByJdk() throws GeneralSecurityException {
        var manager = (X509TrustManager) factory(null).getTrustManagers()[0];
        return List.of(manager.getAcceptedIssuers());
    }

    /** @param trusted null: the JDK's certificates */
    private static TrustManagerFactory factory(KeyStore trusted) throws GeneralSecurityException {
        String algorithm = TrustManagerFactory.getDefaultAlgorithm();
        TrustManagerFactory factory = TrustManagerFactory.getInstance(algorithm);
        factory.init(trusted);
        return factory;
    }

    private static KeyStore keyStore(List<Certificate> certificates)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null); // empty
        for (int i = 0; i < certificates.size(); i++) store.setCertificateEntry("c" + i, certificates.get(i));
        return store;
    }
}
