package translate;

import anthropic.Usage;
import java.util.List;
import json.Json;

/**
 * How a reply goes on once the searches in it have been made: by one more request, whose reply is added to
 * the same message.
 *
 * @param request the client's request, with what was said so far at the end of its history
 * @param id      of the message
 * @param blocks  of the message so far
 * @param used    the tokens so far
 * @param counts  of the searches so far
 */
public record Continuation(Json request, String id, List<Json> blocks, Usage used, SearchCounts counts) { }
