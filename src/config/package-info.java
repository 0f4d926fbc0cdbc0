/**
 * What was asked for on the command line and in the environment, checked. It may use {@code json}.
 *
 * <p>An option's way: {@link config.Option} is the table of all; {@link config.CommandLine} takes the words
 * and {@link config.Variables} the environment; {@link config.Options} checks the values. From them come the
 * backends, each a {@link config.Target}, whose address UpstreamUrl reads; the {@link config.Route} of each
 * model; and {@link config.Secrets}, which knows what must not be shown. A mistake is a {@link
 * config.UsageError}.
 *
 * <p>A secret is known by the option that it came with, or by a name in {@link config.SecretNames}; a Needle
 * finds it in a text that Unescaped has freed of escapes.
 */
package config;
