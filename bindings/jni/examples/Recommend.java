import java.nio.channels.FileChannel;
import java.nio.file.Path;
import tinderbox.Model;
import tinderbox.Ranked;
import tinderbox.Session;

/** What to show to somebody who likes some items and dislikes others: Recommend FILE [+ID | -ID]... */
public final class Recommend {
    public static void main(String[] arguments) throws Exception {
        try (FileChannel channel = FileChannel.open(Path.of(arguments[0]))) {
            Model model = new Model(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
            Session session = new Session(model, arguments.length);
            for (int at = 1; at < arguments.length; at++) {
                int item = model.item(arguments[at].substring(1));
                if (arguments[at].startsWith("-")) {
                    session.dislike(item);
                } else {
                    session.like(item);
                }
            }
            session.adapt();
            for (Ranked ranked : session.rank(10)) {
                System.out.printf("%6.3f %s%n", ranked.score, model.title(ranked.item));
            }
        }
    }
}
