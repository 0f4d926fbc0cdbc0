/**
 * What was asked for on the command line and in the environment, checked, and the secrets among it, which
 * must never be shown. It may use {@code json}.
 */
package config;
