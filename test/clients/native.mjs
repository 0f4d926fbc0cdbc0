// native.mjs — a backend of Anthropic's own API with one reply, the bytes of which no translation would bring forth; Node alone.
// It prints its port. It is overloaded but for models called claude…, which all say the same, in pieces that end anywhere.
//   POST /v1/messages, POST /v1/messages/count_tokens
import http from 'node:http';

const event = (name, data) => `event: ${name}\ndata: ${data}\n\n`;
const STREAM = [
  event('message_start', '{"type": "message_start", "message":{"id":"msg_native","type":"message","role":"assistant","model":"claude-native",'
    + '"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1,"service_tier":"standard"}}}'),
  event('content_block_start', '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}  }'),
  event('ping', '{"type": "ping"}'),
  event('content_block_delta', '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"H\\u00fcm…"}}'),
  event('content_block_delta', '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM"}}'),
  event('content_block_stop', '{"type":"content_block_stop","index":0}'),
  event('content_block_start', '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"now","input":{}}}'),
  event('content_block_delta', '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"at\\": 1.0}"}}'),
  event('content_block_stop', '{"type":"content_block_stop","index":1     }'),
  event('message_delta', '{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}'),
  event('message_stop', '{"type":"message_stop"           }'),
].join('');
const WHOLE = `{"id":"msg_native",  "type":"message","role":"assistant","model":"claude-native","content":[{"type":"text","text":"H\\u00fcm…"}],
 "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":89}}\n`;
const OVERLOADED = '{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_native"}';
const PIECE_BYTES = 37;

const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  const body = JSON.parse(text || '{}');
  const answer = (status, reply) => response.writeHead(status, { 'content-type': 'application/json' }).end(reply);
  if (request.url === '/v1/messages/count_tokens') return answer(200, '{ "input_tokens": 4711 }');
  if (request.url !== '/v1/messages') return answer(404, '{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}');
  if (!body.model.startsWith('claude')) return answer(529, OVERLOADED);
  if (!body.stream) return answer(200, WHOLE);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const bytes = Buffer.from(STREAM);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    response.write(bytes.subarray(at, at + PIECE_BYTES));
    await new Promise(setImmediate);
  }
  return response.end();
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
