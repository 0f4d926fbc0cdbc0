/**
 * What was asked for on the command line and in the environment, checked. It may use {@code json}.
 *
 * <p>An option's way: {@link config.Option} is the table of all; {@link config.CommandLine} takes the words
 * and {@link config.Variables} the environment; {@link config.Options} checks the values. From them come the
 * backends, each a {@link config.Target}, whose address UpstreamUrl reads; the {@link config.Route} of each
 * model; and {@link config.Secrets}, which knows what must not be shown. A mistake is a {@link
 * config.UsageError}.
 *
 * <p>What an option says for some backends alone ({@code KEY@local}) is an Addressed value; Backends gives
 * each {@link config.Target} its OwnOptions and the {@link config.Api} by which it is asked. {@code @FILE}
 * is an OptionFile. A client's key with its name is a {@link config.AuthKey}.
 *
 * <p>A secret is known by the option that it came with, or by a name in {@link config.SecretNames}; a Needle
 * finds it in a text that Unescaped has freed of escapes.
 *
 * <h2>Several backends</h2>
 * Small jobs can stay on this machine while the big ones go to the cloud. Give the backends names, and say
 * which model is where:
 *
 * <p>&#64;NAME at the end of a --map, --upstream-key, --header, --extra-body, --context, --search or
 * --search-header says which backend it is for; &#64;NAME,NAME names several. A key, a body, a window or a
 * search service of its own replaces the one that is for all; headers add up. Only names that an --upstream
 * has count, so that a model such as claude-sonnet&#64;20250514 keeps its &#64;; if a name is unknown, A2o
 * says so and does not start. A mapping without &#64;NAME is for all backends in order, as ever. A backend
 * that does not have the model (404, or a 400 that says so) is passed over for the next of the route. So is
 * one that has no place for what is asked: MCP servers, skills, uploaded files, toolsets, and a search in
 * the web that Claude Code asks for go to the first of the route that can do them (As it is), and where
 * that fails the search is unavailable.
 *
 * <p>GET /v1/models lists what all backends list. Where two have the same model, or where the name alone
 * leads elsewhere, it stands there as NAME/model, and clients can ask for it by that: such a name goes to
 * that backend alone, before any --map but one whose pattern begins with NAME/. With --model there are no
 * such names. A name that no option is about goes first to the named backend that lists it; so A2o asks
 * named backends for their lists when the first such request comes. The window that is listed, and the one
 * of "prompt is too long", is the one of the route; -- claude takes the one of the main model's route. The
 * log, /metrics and the page call backends by their names.
 *
 * <p>A user and a password in an address (https://me:secret&#64;host/v1) are sent as basic authorization, as
 * curl does, in place of any key.
 *
 * <h3>Options in files</h3>
 * &#64;FILE reads options from a file, one a line as on the command line; empty lines are left out, and so
 * is what follows a # that begins a word; quotes around a value are taken off ('X-A: b # c'&#64;or). One
 * person with a local and a cloud backend, who starts a2o &#64;a2o.options -- claude:
 *
 * <p>A team, whose file is a mounted secret (a2o &#64;/etc/a2o/options --host 0.0.0.0), each member with a
 * key of their own:
 *
 * <p>The files are looked at every second. What has changed counts for the requests that come then; those in
 * flight end as they began, and no stream is cut. A key that is taken out is refused from then on. Backends
 * that stay keep their connections, their state and what was learned about them. --host, --port, --workers,
 * --max-connections, --max-connections-per-host, --log-file and --ca-cert cannot change: A2o says so and
 * goes on with what it has. A file with a mistake changes nothing; the log says what is wrong, and in which
 * line if it is the line that makes no sense. Give the file to its owner alone (chmod 600): it holds keys.
 *
 * <p>The name in --auth-key NAME=KEY is what the log calls the client (req_… of anna 200 …); /metrics
 * (a2o_client_requests_total, a2o_client_errors_total, a2o_client_tokens_total) and the page count by it. A
 * key without a name is let in, and counted for nobody.
 */
package config;
