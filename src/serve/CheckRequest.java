package serve;

import json.JsonWriter;

/** The requests that {@code --check} sends; in each, MODEL stands for the model, as a JSON string. */
enum CheckRequest {
    PLAIN("""
            {"model":MODEL,"max_tokens":1024,"stream":false,"thinking":{"type":"disabled"},
             "messages":[{"role":"user","content":"Say OK."}]}"""),

    STREAMED("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "messages":[{"role":"user","content":"Count from 1 to 30."}]}"""),

    ONE_CALL("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "tools":[{"name":"get_weather","input_schema":
               {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],
             "messages":[{"role":"user","content":"Call get_weather for Paris."}]}"""),

    TWO_CALLS("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "tools":[{"name":"get_weather","input_schema":
               {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],
             "messages":[{"role":"user","content":
               "Call get_weather for Paris and for Rome, both at once."}]}"""),

    RESULT("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "tools":[{"name":"get_weather","input_schema":
               {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],
             "messages":[
               {"role":"user","content":"How warm is it in Paris?"},
               {"role":"assistant","content":[
                 {"type":"tool_use","id":"call_1","name":"get_weather","input":{"city":"Paris"}}]},
               {"role":"user","content":[
                 {"type":"tool_result","tool_use_id":"call_1","content":"17 degrees"}]}]}"""),

    REASONING("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"enabled","budget_tokens":1024},
             "messages":[{"role":"user","content":"17 times 23?"}]}"""),

    /** The image is a red square. */
    IMAGE("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "messages":[{"role":"user","content":[
               {"type":"text","text":"Which colour is this? One word."},
               {"type":"image","source":{"type":"base64","media_type":"image/png","data":"\
            iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQMAAACQp+OdAAAAA1BMVEX/AAAZ4gk3AAAA\
            D0lEQVR42mNgGAWjgHwAAAJAAAHgTR1EAAAAAElFTkSuQmCC"}}]}]}"""),

    SCHEMA("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "output_config":{"format":{"type":"json_schema","schema":
               {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},
             "messages":[{"role":"user","content":"What is the capital of France?"}]}"""),

    STOP("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "stop_sequences":["7"],
             "messages":[{"role":"user","content":"Count from 1 to 9."}]}"""),

    /** As Claude Code has the web searched. */
    SEARCH("""
            {"model":MODEL,"max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "tools":[{"type":"web_search_20250305","name":"web_search","max_uses":8}],
             "messages":[{"role":"user","content":"Perform a web search for the query: weather in Paris"}]}"""),

    UNKNOWN_MODEL("""
            {"model":"unknown","max_tokens":1024,"stream":true,"thinking":{"type":"disabled"},
             "messages":[{"role":"user","content":"Say OK."}]}""");

    private final String template;

    CheckRequest(String template) { this.template = template; }

    String body(String model) { return template.replace("MODEL", new JsonWriter().string(model).toString()); }
}
