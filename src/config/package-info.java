/**
 * What was asked for on the command line and in the environment, checked. It may use {@code json}.
 *
 * <p>An option's way: {@link config.Option} is the table of all; {@link config.CommandLine} takes the words
 * and {@link config.Variables} the environment; {@link config.Options} checks the values. From them come the
 * backends, each a {@link config.Target}, whose address UpstreamUrl reads; the {@link config.Route} of each
 * model; and {@link config.Secrets}, which knows what must not be shown. A mistake is a {@link
 * config.UsageError}.
 *
 * <p>What an option says for some backends alone ({@code KEY@local}) is an Addressed value; Backends gives each
 * {@link config.Target} its OwnOptions and the {@link config.Api} by which it is asked. {@code @FILE} is an
 * OptionFile. A client's key with its name is a {@link config.AuthKey}.
 *
 * <p>A secret is known by the option that it came with, or by a name in {@link config.SecretNames}; a Needle
 * finds it in a text that Unescaped has freed of escapes.
 */
package config;
