package tinderbox;

/** What the engine refuses; the message says what to do about it. */
public final class TinderboxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** A TBX_STATUS of tinderbox.h. */
    public final int status;

    TinderboxException(int status) {
        super(Native.statusText(status));
        this.status = status;
    }
}
