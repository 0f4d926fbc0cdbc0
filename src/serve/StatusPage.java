package serve;

import anthropic.Ids;
import com.sun.net.httpserver.Headers;
import json.JsonWriter;

/**
 * The page that browsers get at {@code /}: it fetches {@code status.json} every two seconds and shows it. It
 * loads nothing else, and shows texts as text, never as HTML.
 */
final class StatusPage {
    /** What the page may do: run its own style and script, by a nonce that is new each time, and ask A2o. */
    private static final String POLICY = "default-src 'none'; style-src 'nonce-NONCE'; "
            + "script-src 'nonce-NONCE'; connect-src 'self'; img-src data:; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";

    private static final String BODY = """
            <header>
            <h1>A2o</h1>
            <p id="state" role="status">needs JavaScript</p>
            <p id="what" class="dim"></p>
            </header>
            <div class="grid" id="counts"></div>
            <section id="running"></section>
            <section>
            <details id="connect">
            <summary>To connect</summary>
            <p id="empty">No request has come yet. Paste one of these lines into a terminal:</p>
            <div id="lines"></div>
            </details>
            </section>
            <div class="grid" id="plots">
            <section><h2>Time to first token</h2><div id="first"></div></section>
            <section><h2>Tokens a second</h2><div id="speed"></div></section>
            </div>
            <section><h2>Backends</h2><div id="upstreams"></div></section>
            <div class="grid" id="totals">
            <section id="models" hidden></section>
            <section id="clients" hidden></section>
            </div>
            <section id="last" hidden>
            <h2>The last requests</h2>
            <table><thead><tr></tr></thead><tbody></tbody></table>
            <button id="more" hidden></button>
            </section>
            <svg hidden></svg>
            """;

    private static final String PAGE = """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <title>A2o</title>
            <link rel="icon" href="data:,">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style nonce="NONCE">
            """ + StatusStyle.CSS + "</style>\n" + BODY
            + "<script nonce=\"NONCE\">\n" + StatusScript.JAVASCRIPT + "</script>\n</html>\n";

    private StatusPage() { }

    /** {@return the page, whose policy goes into its headers} */
    static JsonWriter html(Headers headers) {
        String nonce = Ids.newId();
        headers.set("content-security-policy", POLICY.replace("NONCE", nonce));
        headers.set("content-type", "text/html; charset=utf-8");
        return new JsonWriter().utf8(PAGE.replace("NONCE", nonce));
    }
}
