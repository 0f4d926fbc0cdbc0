package translate;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Looks for marks, as stop sequences, in text that comes in pieces of any size. Text passes as it comes, but
 * for an end that may be the beginning of a mark. The time does not depend on how many marks there are, nor
 * on how they repeat themselves.
 *
 * <p>Source: Aho and Corasick, "Efficient string matching: an aid to bibliographic search", 1975.
 */
final class MarkScanner {
    /** A beginning that marks have in common. */
    private static final class Node {
        private final Map<Character, Node> next = new HashMap<>();
        private final int depth; // its length in characters
        private Node shorter; // the longest end of it that is the beginning of a mark too; null for the root
        private Optional<String> mark = Optional.empty(); // the longest that ends here

        private Node(int depth) {
            this.depth = depth;
        }
    }

    private final Node root = new Node(0);
    private final StringBuilder held = new StringBuilder(); // not passed on; its end is the current beginning
    private Node at = root; // the longest beginning of a mark that the text so far ends with

    MarkScanner(List<String> marks) {
        marks.forEach(this::add);
        link();
    }

    private void add(String mark) {
        Node node = root;
        for (char c : mark.toCharArray()) {
            int depth = node.depth + 1;
            node = node.next.computeIfAbsent(c, none -> new Node(depth));
        }
        node.mark = Optional.of(mark);
    }

    /** Finds the shorter beginnings, level by level. */
    private void link() {
        Queue<Node> nodes = new ArrayDeque<>(List.of(root));
        while (!nodes.isEmpty()) {
            Node node = nodes.remove();
            node.next.forEach((c, child) -> {
                child.shorter = node == root ? root : step(node.shorter, c);
                if (child.mark.isEmpty()) child.mark = child.shorter.mark;
                nodes.add(child);
            });
        }
    }

    private Node step(Node from, char c) {
        Node node = from;
        while (node != root && !node.next.containsKey(c)) node = node.shorter;
        return node.next.getOrDefault(c, root);
    }

    /**
     * Takes a piece of text, and passes on what stands before the first mark. What follows the mark in this
     * piece can be had by {@link #flush}. {@return the mark, if one has been found}
     */
    Optional<String> feed(String piece, Consumer<String> passed) {
        for (int i = 0; i < piece.length(); i++) {
            at = step(at, piece.charAt(i));
            Optional<String> found = at.mark;
            if (found.isPresent()) {
                held.append(piece, 0, i + 1);
                pass(held.length() - found.get().length(), passed);
                held.setLength(0);
                held.append(piece, i + 1, piece.length());
                at = root;
                return found;
            }
        }
        held.append(piece);
        pass(held.length() - at.depth, passed);
        return Optional.empty();
    }

    /** {@return what has been held back; it is no mark any more} */
    String flush() {
        String rest = held.toString();
        held.setLength(0);
        at = root;
        return rest;
    }

    private void pass(int length, Consumer<String> passed) {
        if (length > 0) passed.accept(held.substring(0, length));
        held.delete(0, length);
    }
}
