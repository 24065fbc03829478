package tinderbox;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Plays the golden requests: Golden DIRECTORY, the one that engine/golden/README.md describes. */
public final class Golden {
    private final Path directory;
    private Model model;
    private Session session;
    private final List<ByteBuffer> raters = new ArrayList<>();
    private final List<Byte> levels = new ArrayList<>();
    private final List<byte[]> rows = new ArrayList<>();
    private final List<Float> scales = new ArrayList<>();

    private Golden(Path directory) {
        this.directory = directory;
    }

    public static void main(String[] arguments) throws Exception {
        Golden golden = new Golden(Path.of(arguments[0]));
        refusals(golden);
        int equal = 0, different = 0, left = 0;
        String answer = null, question = null;
        for (String line : Files.readAllLines(golden.directory.resolve("requests.txt"), StandardCharsets.UTF_8)) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (!line.startsWith("=")) {
                question = line;
                answer = golden.play(line);
            } else if (answer == null) {
                left++;
            } else if (answer.equals(line)) {
                equal++;
            } else {
                different++;
                System.err.println(question + "\n  " + answer + "\n  golden " + line);
            }
        }
        System.out.printf("%d answers, bits equal; %d different; %d left out (batch)%n", equal, different, left);
        System.exit(different == 0 && equal > 0 ? 0 : 1);
    }

    private static void refusals(Golden golden) throws Exception {
        golden.play("model maml");
        ByteBuffer shifted = ByteBuffer.allocateDirect(4096);
        shifted.position(4);
        expect("multiple of TBX_ALIGNMENT", () -> new Model(shifted.slice()));
        expect("not a model file", () -> new Model(ByteBuffer.allocateDirect(4096)));
        expect("a pointer is null", () -> new Model(ByteBuffer.allocate(4096))); // not direct
        expect("no item of this number", () -> golden.session.score(1 << 30));
        expect("memory is too small", () -> Native.check(Native.adapt(new Session(golden.model, 1).user(), Native.memory(8), 99)));
    }

    private static void expect(String words, Runnable call) {
        try {
            call.run();
        } catch (TinderboxException error) {
            if (error.getMessage().contains(words)) {
                return;
            }
            throw error;
        }
        throw new AssertionError("not refused: " + words);
    }

    /** The answer; null where the line is no question, or one that is left out. */
    private String play(String line) throws Exception {
        String[] words = line.split(" ");
        String rest = line.substring(Math.min(line.length(), words[0].length() + 1));
        switch (words[0]) {
            case "model": {
                try (FileChannel channel = FileChannel.open(directory.resolve(words[1] + ".tbx"))) {
                    model = new Model(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
                }
                model.verify();
                session = new Session(model, 32);
                rows.clear();
                scales.clear();
                return null;
            }
            case "rater": {
                Session rater = new Session(model, 32);
                say(rater, 0, words[1]);
                levels.add(rater.lastLevel());
                rater.forget();
                feedback(rater, words, 2);
                raters.add(rater.user());
                return null;
            }
            case "new":
                return newItem(numbers(words, 1));
            case "user":
                session.setFeatures(numbers(words, 1));
                return null;
            case "feedback":
                session.forget();
                feedback(session, words, 1);
                return null;
            case "rank":
                return list(session.rank(Integer.parseInt(words[1]), filter(words, 2)));
            case "diverse":
                return list(session.rankDiverse(Integer.parseInt(words[1]), Integer.parseInt(words[2]), Float.parseFloat(words[3]) / 100, filter(words, 4)));
            case "similar":
                return list(session.similar(Integer.parseInt(words[1]), Integer.parseInt(words[2]), filter(words, 3)));
            case "score":
                return "= " + bits(session.score(Integer.parseInt(words[1])));
            case "explain":
                return list(session.explain(Integer.parseInt(words[1]), Integer.parseInt(words[2])));
            case "onboarding": {
                StringBuilder answer = new StringBuilder("=");
                Arrays.stream(model.onboarding()).forEach(item -> answer.append(' ').append(item));
                return answer.toString();
            }
            case "find": {
                int item = model.item(rest);
                return item < 0 ? "=" : "= " + item;
            }
            case "id":
                return "= " + model.id(Integer.parseInt(words[1]));
            case "title": {
                String title = model.title(Integer.parseInt(words[1]));
                return title == null ? "=" : "= " + title;
            }
            case "batch":
                return null;
            default:
                throw new AssertionError("an unknown question: " + line);
        }
    }

    private String newItem(int[] features) {
        int dim = model.dim();
        ByteBuffer row = Native.memory(dim), users = Native.memory(4L * dim * Math.max(1, raters.size()));
        byte[] said = new byte[levels.size()];
        for (int at = 0; at < said.length; at++) {
            said[at] = levels.get(at);
            users.put(raters.get(at));
        }
        float scale = said.length == 0 ? model.embedItem(features, row) : model.embedItem(features, users, said, row);
        raters.clear();
        levels.clear();
        byte[] bytes = new byte[dim];
        row.get(bytes);
        rows.add(bytes);
        scales.add(scale);
        ByteBuffer all = Native.memory((long) dim * rows.size()), each = Native.memory(4L * rows.size());
        rows.forEach(all::put);
        scales.forEach(each::putFloat);
        session.addItems(all, each);
        StringBuilder answer = new StringBuilder("= " + bits(scale) + " ");
        for (byte value : bytes) {
            answer.append(String.format(Locale.ROOT, "%02x", value));
        }
        return answer.toString();
    }

    private static void feedback(Session session, String[] words, int from) {
        for (int at = from; at < words.length; at++) {
            String[] parts = words[at].split(":");
            say(session, Integer.parseInt(parts[0]), parts[1]);
        }
        session.adapt();
    }

    private static void say(Session session, int item, String feedback) {
        switch (feedback) {
            case "+":
                session.like(item);
                break;
            case "-":
                session.dislike(item);
                break;
            default:
                session.rate(item, Float.parseFloat(feedback));
        }
    }

    private static Filter filter(String[] words, int from) {
        Filter filter = new Filter();
        for (int at = from; at < words.length; at++) {
            String list = words[at].substring(words[at].indexOf('=') + 1);
            if (words[at].startsWith("allow=")) {
                filter.allow = numbers(list.split(","), 0);
            } else if (words[at].startsWith("deny=")) {
                filter.deny = numbers(list.split(","), 0);
            } else if (words[at].startsWith("categories=")) {
                filter.categories = numbers(list.split(","), 0);
            } else {
                filter.keepSupport = true;
            }
        }
        return filter;
    }

    private static int[] numbers(String[] words, int from) {
        return Arrays.stream(words).skip(from).filter(word -> !word.isEmpty()).mapToInt(Integer::parseInt).toArray();
    }

    private static String list(Ranked[] list) {
        StringBuilder answer = new StringBuilder("=");
        for (Ranked ranked : list) {
            answer.append(' ').append(ranked.item).append(':').append(bits(ranked.score));
        }
        return answer.toString();
    }

    private static String bits(float value) {
        return String.format(Locale.ROOT, "%08x", Float.floatToRawIntBits(value));
    }
}
