import java.util.*;
import java.util.function.*;
import java.util.stream.*;

/** What usual programs use, to be compiled and run once when the image is made. */
public class Main {
    record Point(int x, int y) {}
    sealed interface Shape permits Circle, Square {}
    record Circle(double radius) implements Shape {}
    record Square(double side) implements Shape {}
    enum Colour { RED, GREEN }
    static <T extends Comparable<T>> T largest(List<T> all) { return all.stream().max(Comparator.naturalOrder()).orElseThrow(); }
    static double area(Shape shape) { return switch (shape) { case Circle c -> Math.PI * c.radius() * c.radius(); case Square s -> s.side() * s.side(); }; }
    public static void main(String[] args) throws Exception {
        var input = new Scanner(System.in);
        long sum = 0;
        while (input.hasNextLong()) sum += input.nextLong();
        System.out.println(sum);
        Map<String, List<Integer>> groups = new TreeMap<>(IntStream.range(0, 9).boxed().collect(Collectors.groupingBy(n -> n % 2 == 0 ? "even" : "odd")));
        for (var entry : groups.entrySet()) System.out.printf("%s %s %.2f%n", entry.getKey(), entry.getValue(), 1.5);
        System.out.println(new Point(1, 2) + " " + largest(List.of(1, 2)) + " " + area(new Circle(1)) + Colour.RED);
        var text = new StringBuilder();
        for (String word : "a b c".split(" ")) text.append(word);
        System.out.println(String.format("%s %d", text, new HashMap<>(Map.of(1, 2)).get(1)));
        var reader = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        reader.readLine();
        var threads = new ArrayList<Thread>();
        threads.add(new Thread(() -> System.out.println(new ArrayDeque<>(List.of(1)))));
        for (var thread : threads) { thread.start(); thread.join(); }
        try { Object nothing = null; nothing.toString(); } catch (NullPointerException error) { System.out.println(error.getMessage()); }
    }
}
