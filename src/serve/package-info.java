/**
 * The server: who may come in and what they get. Each request is read, tried at the backends and answered
 * here, and what went on is counted. It may use all other packages that have a name.
 */
package serve;
