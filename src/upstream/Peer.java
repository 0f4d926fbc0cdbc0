package upstream;

import config.Api;
import config.Target;
import java.util.LinkedHashMap;
import java.util.Map;
import translate.Dialect;

/**
 * A backend by the names that log and metrics have for it.
 *
 * @param label    its name, or else its address
 * @param provider as OpenTelemetry calls it: of a host that is nobody's in particular, whose API it speaks
 */
public record Peer(String label, String provider, String host, int port) {
    /** Providers by the end of a host's name (OpenTelemetry, {@code gen_ai.provider.name}). */
    private static final Map<String, String> PROVIDERS = new LinkedHashMap<>();

    static {
        PROVIDERS.put("api.openai.com", "openai");
        PROVIDERS.put(".azure.com", "azure.ai.openai");
        PROVIDERS.put(".anthropic.com", "anthropic");
        PROVIDERS.put("api.x.ai", "x_ai");
        PROVIDERS.put("api.groq.com", "groq");
        PROVIDERS.put("api.mistral.ai", "mistral_ai");
        PROVIDERS.put("api.deepseek.com", "deepseek");
        PROVIDERS.put("generativelanguage.googleapis.com", "gcp.gemini");
        PROVIDERS.put("openrouter.ai", "openrouter");
        PROVIDERS.put("api.moonshot.ai", "moonshot_ai");
        PROVIDERS.put("api.moonshot.cn", "moonshot_ai");
    }

    static Peer of(Target target) {
        return new Peer(target.label(), provider(target), target.host(), Target.port(target.base()));
    }

    private static String provider(Target target) {
        for (Map.Entry<String, String> known : PROVIDERS.entrySet()) {
            if (target.host().endsWith(known.getKey())) return known.getValue();
        }
        return Dialect.of(target).api() == Api.MESSAGES ? "anthropic" : "openai";
    }
}
