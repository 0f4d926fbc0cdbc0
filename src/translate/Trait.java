package translate;

import anthropic.Request;
import config.Api;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import json.Json;

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

    /** {@return whether it goes for all models of the backend, once it goes for one} */
    default boolean isForAllModels() { return false; }

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
        /** {@code "chat_template_kwargs":{"enable_thinking":true,"thinking":true}}: a template knows one. */
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

    /**
     * The backend takes no more images; the newest are sent.
     *
     * @param isPerMessage whether it counts those of one message; else those of the whole request
     */
    record MostImages(long images, boolean isPerMessage) implements Trait {
        @Override public String about() { return "most images"; }
        @Override public String value() { return isPerMessage ? images + " a message" : Long.toString(images); }
    }

    /**
     * The backend refuses these images and documents, such as one that is corrupt; others it may take.
     *
     * @param hashes of their sources, those refused last at the end
     */
    record RefusedFiles(List<String> hashes) implements Trait {
        private static final int MAX_KEPT = 200;

        /** {@return these and those refused before them} The oldest are forgotten when there are too many. */
        RefusedFiles after(RefusedFiles earlier) {
            List<String> all = Stream.concat(earlier.hashes.stream(), hashes.stream()).distinct().toList();
            return new RefusedFiles(all.subList(Math.max(0, all.size() - MAX_KEPT), all.size()));
        }

        @Override public String about() { return "files"; }
        @Override public String value() { return hashes.size() + " left out"; }
    }

    /**
     * The backend takes no other efforts.
     *
     * @param known in ascending order; only "none" where it must be told each time not to reason
     */
    record Efforts(List<String> known) implements Trait {
        /** The values of {@code reasoning_effort} that some backend knows, in ascending order. */
        static final List<String> SCALE = List.of("none", "minimal", "low", "medium", "high", "xhigh", "max");
        private static final String NONE = "none";
        /** After these words stand the values that are taken. */
        private static final List<String> LISTS = List.of("supported values", "values are", "one of", "should be",
                "must be", "expected", "allowed", "valid values", "supported:", "choose from", "available",
                "values: ", "value: ", "取值", "可选", "支持", "options", "accepts", "only ", "use ", "范围", "为");
        private static final List<String> BETWEEN = List.of("or", "and", "default", "auto", "null");

        /** {@return the lists of efforts that stand in a text, such as {@code 'low', 'medium' or 'high'}} */
        static List<List<String>> in(String text) {
            List<List<String>> found = new ArrayList<>();
            for (String list : LISTS) {
                int at = text.indexOf(list);
                if (at < 0) continue;
                List<String> listed = listed(text.substring(at + list.length()));
                if (!listed.isEmpty()) found.add(listed);
            }
            return found;
        }

        /** {@return the efforts that a text begins with, in ascending order} */
        static List<String> listed(String text) {
            List<String> words = new ArrayList<>();
            var word = new StringBuilder();
            for (char c : (text + ' ').toCharArray()) {
                boolean isLetter = c >= 'a' && c <= 'z';
                if (isLetter) {
                    word.append(c);
                } else if (!word.isEmpty()) {
                    boolean isOfList = SCALE.contains(word.toString()) || BETWEEN.contains(word.toString());
                    if (!isOfList) break;
                    words.add(word.toString());
                    word.setLength(0);
                }
            }
            return SCALE.stream().filter(words::contains).toList();
        }

        @Override public String about() { return "efforts"; }
        @Override public String value() { return String.join(", ", known); }

        /** {@return the effort itself, the next lower one that is known, else the next higher} */
        Optional<String> nearest(Optional<String> asked) {
            if (known.equals(List.of(NONE))) return Optional.of(NONE);
            int at = asked.map(SCALE::indexOf).orElse(-1);
            if (at < 0) return asked; // none, or one that is not on the scale
            Stream<String> lower = SCALE.subList(0, at + 1).reversed().stream();
            Stream<String> higher = SCALE.subList(at + 1, SCALE.size()).stream();
            boolean mayBeNone = at == SCALE.indexOf(NONE);
            return Stream.concat(lower, higher).filter(known::contains)
                    .filter(effort -> mayBeNone || !effort.equals(NONE)).findFirst();
        }
    }

    /** What to send in place of an effort, where the next lower one is not what is meant. */
    record EffortsInstead(Map<String, String> byAsked) implements Trait {
        @Override public String about() { return "efforts instead"; }
        @Override public String value() { return byAsked.toString(); }
    }

    /**
     * The backend refuses a tool, whatever its schema is made of.
     *
     * @param schema hash of the schema that it had: a tool of that name with another one may be taken
     */
    record RefusedTool(String name, String schema) implements Trait {
        static RefusedTool of(Json tool) {
            return new RefusedTool(tool.get("name").text(), Request.hash(tool.get("input_schema").raw()));
        }

        @Override public String about() { return about(name); }
        @Override public String value() { return "left out"; }
        static String about(String name) { return "tool " + name; }
    }

    /** The backend takes no more tools than that. */
    record MostTools(int count) implements Trait {
        @Override public String about() { return "tools"; }
        @Override public String value() { return count + " at most"; }
    }

    /** The backend takes no longer descriptions of tools and their parameters. */
    record LongestDescription(int characters) implements Trait {
        @Override public String about() { return "longest description"; }
        @Override public String value() { return characters + " characters"; }
    }

    /** The ids of tool calls must have this form. */
    record Ids(CallIdForm form) implements Trait {
        @Override public String about() { return "ids"; }
        @Override public String value() { return form.words(); }
    }

    /** The API that is spoken. */
    record Spoken(Api api) implements Trait {
        @Override public String about() { return "api"; }
        @Override public String value() { return api.word(); }
        /** Chat is learned only where the other API does not exist. */
        @Override public boolean isForAllModels() { return api == Api.CHAT; }
    }

    /** One of two ways to do something; a backend that has none of these is taken to do it the other way. */
    enum Habit implements Trait {
        /** System messages may stand anywhere between the others. */
        SYSTEM_IN_PLACE("system messages", "in place"),
        /** They may, by the name of {@code developer}; only in the Responses API. */
        SYSTEM_AS_DEVELOPER("system messages", "as developer"),
        /** They stand at the beginning; later ones go as the user's text, in {@code <system>} tags. */
        SYSTEM_FIRST_ONLY("system messages", "first only"),
        /** There are none; also the first goes as the user's text. */
        SYSTEM_NEVER("system messages", "none"),
        /** Replies come only as streams, so that one is asked for where the client wants a whole reply. */
        ALWAYS_STREAMED("streams", "always"),
        /** Replies come only whole, also where the client wants a stream. */
        NEVER_STREAMED("streams", "never"),
        /** Reasoning cannot be switched off; where it is to be, the lowest effort is asked for. */
        ALWAYS_REASONS("reasoning", "always"),
        /** With tools there is no other effort than "none". */
        NO_EFFORT_WITH_TOOLS("effort with tools", "none"),
        /** With tools there is no format of the output; the prompt says it. */
        NO_FORMAT_WITH_TOOLS("output format with tools", "none"),
        /** A call is forced by {@code "tool_choice":"required"} and by sending no other tool. */
        FORCED_TOOL_ALONE("forced tool", "alone"),
        /** Tools have schemas of a few keywords alone ({@link PlainSchema}). */
        PLAIN_SCHEMAS("tool schemas", "plain"),
        /** The conversation has lost the reasoning that the backend wants back while it thinks: it must not. */
        THINKING_LOST("thinking of earlier turns", "lost"),
        /** A message that only calls tools has {@code "content":""}; elsewhere it has {@code null}. */
        EMPTY_CONTENT("no content", "empty string"),
        /** A reply whose beginning was in the request begins with that once more. */
        BEGUN_REPLY_REPEATED("begun reply", "repeated"),
        /** The backend searches the web itself, if it is given a tool for that; elsewhere nobody does. */
        WEB_SEARCH_HOSTED("web search", "hosted"),
        /** It may do so: it is asked where nothing but a search is wanted. */
        WEB_SEARCH_TRIED("web search", "tried"),
        /** It has refused that tool, or has not searched. */
        WEB_SEARCH_REFUSED("web search", "refused"),
        /** Reasoning items of earlier turns, of the Responses API, do not go back. */
        REASONING_LEFT_OUT("reasoning items", "left out"),
        /** The same, and those of this request never will: the backend cannot open them. */
        REASONING_UNOPENED("reasoning items", "not opened"),
        /** Reasoning is not shown; OpenAI shows it only to organizations that it has verified. */
        SUMMARIES_REFUSED("summaries", "refused"),
        /** Each message says in which phase of its work the model was, and is to say so when it goes back. */
        PHASES_SAID("phases", "said"),
        /** Results of tools hold text alone; images and documents stand in the user's next message. */
        FILES_IN_NEXT_MESSAGE("files in outputs", "in the next message"),
        /** The key goes as {@code api-key: K}; elsewhere as {@code authorization: Bearer K}. */
        API_KEY_HEADER("key header", "api-key");

        private final String about;
        private final String value;

        Habit(String about, String value) {
            this.about = about;
            this.value = value;
        }

        @Override public String about() { return about; }
        @Override public String value() { return value; }
        @Override public boolean isForAllModels() { return this == SUMMARIES_REFUSED; }
    }
}
