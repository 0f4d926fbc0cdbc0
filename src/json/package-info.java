/**
 * Bytes: JSON read and written, the events of a stream, text for people. It knows no API, and uses nothing
 * but the JDK.
 */
package json;
