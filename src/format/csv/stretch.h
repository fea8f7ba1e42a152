/*
 * stretch.h: a stretch of a file with the record ends in it; and the next one,
 * found at the same time by a second thread, on a guess.
 *
 * Whether a line end also ends a record, only the run over all bytes before it
 * tells. Nearly every one does. So the second thread takes a line end some way
 * ahead for one and goes on behind it, while the first comes up to that place.
 * There the first knows: if its state is that of a record's start, the scan
 * behind it depends on nothing else, and what the second found is what the first
 * would find. If not, it is thrown away and the first goes on alone. After a few
 * wrong guesses (a text full of quoted line ends) no more are made.
 */
#ifndef HAUL_FORMAT_CSV_STRETCH_H
#define HAUL_FORMAT_CSV_STRETCH_H

#include "format/csv/input.h"

struct csv_stretch {
    struct window window;
    struct csv_scan_state state; /* behind the bytes looked at */
    struct csv_marks marks;      /* of the window */
    struct buffer records;       /* their room */
};

/* Begins at `from`, which is a record's start. */
enum haul_code csv_stretch_init(struct csv_stretch *stretch, const struct csv_input *input, int64_t from,
                                struct haul_error *err);
void csv_stretch_release(struct csv_stretch *stretch);

/* Passes what was looked at, reads on and looks; at nothing from `until` on. */
enum haul_code csv_stretch_scan(struct csv_stretch *stretch, const struct csv_input *input, int64_t until,
                                struct haul_error *err);

struct csv_ahead;

/* NULL when there can be none, or the file is too short for one: then all is done by one
 * thread. `input` outlives it. */
struct csv_ahead *csv_ahead_new(const struct csv_input *input);
void csv_ahead_free(struct csv_ahead *ahead);

/* Begins to look behind a line end soon after what `stretch` will look at next, if nothing is under way. */
void csv_ahead_begin(struct csv_ahead *ahead, const struct csv_stretch *stretch);

/* Where the guess begins; INT64_MAX: there is none. */
int64_t csv_ahead_from(const struct csv_ahead *ahead);

/* `stretch` has come up to the guess. True when it was right: then *stretch is what
 * was found there. The guess is gone in any case. */
bool csv_ahead_take(struct csv_ahead *ahead, struct csv_stretch *stretch);

#endif
