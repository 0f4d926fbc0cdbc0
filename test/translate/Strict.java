package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import serve.Proxy;
import testing.Backend;
import testing.Proxies;
import testing.Tree;
import testing.Wire;

/** A backend that refuses what it does not take, and is content with anything else, and the proxy before it. */
final class Strict implements AutoCloseable {
    private static final Backend.Script FINE = Backend.saying("fine");

    /** Everything that a backend may refuse, in one request; {@code m1} and others may be replaced. */
    static final String REQUEST = json("""
            {'model':'m1','max_tokens':128000,'stream':true,'temperature':0.5,'top_p':0.9,'stop_sequences':['END'],
             'metadata':{'user_id':'u1'},'thinking':{'type':'enabled','budget_tokens':2048},
             'output_config':{'effort':'xhigh'},'tool_choice':{'type':'any','disable_parallel_tool_use':true},
             'tools':[{'name':'weather','description':'of a city','input_schema':{'type':'object','properties':{}}}],
             'system':'Be brief.','messages':[{'role':'user','content':'one'},
              {'role':'assistant','content':[{'type':'thinking','thinking':'Hm.','signature':'a2o1.reasoning_content'},
               {'type':'tool_use','id':'t1','name':'weather','input':{}}]},
              {'role':'user','content':[{'type':'tool_result','tool_use_id':'t1','content':'sunny'}]},
              {'role':'assistant','content':'Sun.'},{'role':'user','content':'two'}]}""");
    static final String SMALL =
            json("{'model':'m1','max_tokens':9,'stream':true,'messages':[{'role':'user','content':'hi'}]}");

    private final Backend backend = new Backend().answers(FINE);
    private final Proxy proxy = Proxies.before(backend);

    Strict(Refusals.Row... refusals) throws Exception {
        refuses(FINE, refusals);
    }

    static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    Backend backend() {
        return backend;
    }

    /** From now on it refuses what any of {@code refusals} is about, the first of them first. */
    void refuses(Backend.Script otherwise, Refusals.Row... refusals) {
        backend.answers(call -> {
            Object body = Tree.of(call.text());
            for (Refusals.Row row : refusals) {
                if (row.isAgainst(body)) {
                    call.reply(row.status(), "application/json", row.body());
                    return;
                }
            }
            otherwise.answer(call);
        });
    }

    /** From now on it refuses everything. */
    void refusesAll(Refusals.Row row) {
        backend.answers(call -> call.reply(row.status(), "application/json", row.body()));
    }

    Wire.Reply post(String body) throws IOException {
        return Wire.post(proxy.port(), body);
    }

    /** Posts what must go well in the end. {@return the bodies that the backend has got for it} */
    List<Object> bodies(String request) throws Exception {
        int before = backend.requests();
        Wire.Reply reply = post(request);
        assertEquals(200, reply.status(), reply.body());
        assertEquals("message_stop", request.contains("\"stream\":true") ? reply.last().name() : "message_stop");
        List<Object> bodies = new ArrayList<>();
        for (int i = before; i < backend.requests(); i++) bodies.add(Tree.of(backend.take().text()));
        return bodies;
    }

    /** {@return that body with another value} */
    static Object with(Object body, String name, Object value) {
        Map<String, Object> changed = new LinkedHashMap<>();
        ((Map<?, ?>) body).forEach((key, old) -> changed.put((String) key, old));
        changed.put(name, value);
        return changed;
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        backend.close();
    }
}
