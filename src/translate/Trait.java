package translate;

import java.util.List;
import java.util.Map;

/**
 * One way in which a backend differs from plain chat completions. The rows of {@link Dialects} state
 * some, refusals teach others ({@link Lessons}); {@link Dialect} answers by them. Of two about the same
 * the later one counts.
 */
sealed interface Trait {
    /** {@return what it is about, for the log and the status page: a member's name, or a few words} */
    String about();

    /** {@return what is so, for the log and the status page; "" where something is left out} */
    String value();

    /** About a member of the request, or a kind of part in a message ({@code image_url}, {@code file}). */
    sealed interface OfMember extends Trait {
        String member();
        @Override default String about() { return member(); }
    }

    /** The member has a name of its own there. */
    sealed interface Named extends OfMember {
        String wireName();
        @Override default String value() { return wireName(); }
    }

    /** The member has another name there, and the same value. */
    record Renamed(String member, String wireName) implements Named { }

    /** The backend refuses the member. */
    record Omitted(String member) implements OfMember {
        @Override public String value() { return ""; }
    }

    /** The backend takes the member, which many others would refuse. */
    record Known(String member) implements OfMember {
        @Override public String value() { return "known"; }
    }

    /** The backend refuses messages of the assistant's without the member. */
    record Required(String member) implements OfMember {
        @Override public String value() { return "required"; }
    }

    /** How thinking is switched on and off. */
    enum Thinking implements Named {
        /** {@code "thinking":{"type":"enabled"}} */
        OBJECT("thinking"),
        /** {@code "enable_thinking":true} */
        SWITCH("enable_thinking"),
        /**
         * {@code "chat_template_kwargs":{"enable_thinking":true,"thinking":true}}: templates know one or
         * the other.
         */
        TEMPLATE("chat_template_kwargs");

        private final String wireName;

        Thinking(String wireName) { this.wireName = wireName; }

        @Override public String member() { return "thinking"; }
        @Override public String wireName() { return wireName; }
    }

    /** How an effort is sent. */
    enum EffortForm implements Named {
        /** {@code "reasoning_effort":"high"} */
        STRING("reasoning_effort"),
        /** {@code "reasoning":{"effort":"high"}} */
        OBJECT("reasoning");

        private final String wireName;

        EffortForm(String wireName) { this.wireName = wireName; }

        @Override public String member() { return "reasoning_effort"; }
        @Override public String wireName() { return wireName; }
    }

    /** The backend takes no higher number of tokens for the reply. */
    record LongestReply(long tokens) implements Trait {
        @Override public String about() { return "longest reply"; }
        @Override public String value() { return tokens + " tokens"; }
    }

    /** The backend takes no lower number of tokens for the reply. */
    record ShortestReply(long tokens) implements Trait {
        @Override public String about() { return "shortest reply"; }
        @Override public String value() { return tokens + " tokens"; }
    }

    /** The backend takes no other efforts. */
    record Efforts(List<String> known) implements Trait {
        /** The values of {@code reasoning_effort} that some backend knows, in ascending order. */
        static final List<String> SCALE = List.of("none", "minimal", "low", "medium", "high", "xhigh", "max");

        @Override public String about() { return "efforts"; }
        @Override public String value() { return String.join(", ", known); }
    }

    /** What to send in place of an effort, where the next lower one is not what is meant. */
    record EffortsInstead(Map<String, String> byAsked) implements Trait {
        @Override public String about() { return "efforts instead"; }
        @Override public String value() { return byAsked.toString(); }
    }

    /** Where system messages may stand. */
    enum SystemMessages implements Trait {
        /** Anywhere between the others. */
        IN_PLACE,
        /** Only at the beginning; later ones go as text of the user's, in {@code <system>} tags. */
        FIRST_ONLY;

        @Override public String about() { return "system messages"; }
        @Override public String value() { return this == IN_PLACE ? "in place" : "first only"; }
    }

    /** How the model is made to call one tool. */
    enum ForcedTool implements Trait {
        /** {@code "tool_choice":{"type":"function","function":{"name":N}}} */
        BY_NAME,
        /** {@code "tool_choice":"required"}, and no other tool is sent. */
        ALONE;

        @Override public String about() { return "forced tool"; }
        @Override public String value() { return this == BY_NAME ? "by name" : "alone"; }
    }

    /** What stands for the content of an assistant's message that only calls tools. */
    enum NoContent implements Trait {
        NULL, EMPTY_STRING;

        @Override public String about() { return "no content"; }
        @Override public String value() { return this == NULL ? "null" : "empty string"; }
    }

    /** How a reply begins whose beginning was in the request. */
    enum BegunReply implements Trait {
        /** With what comes next. */
        CONTINUED,
        /** With the beginning once more. */
        REPEATED;

        @Override public String about() { return "begun reply"; }
        @Override public String value() { return this == CONTINUED ? "continued" : "repeated"; }
    }

    /** The header that carries the backend's key. */
    enum KeyHeader implements Trait {
        /** {@code authorization: Bearer K} */
        AUTHORIZATION("authorization"),
        /** {@code api-key: K} */
        API_KEY("api-key");

        private final String wireName;

        KeyHeader(String wireName) { this.wireName = wireName; }

        @Override public String about() { return "key header"; }
        @Override public String value() { return wireName; }
    }
}
