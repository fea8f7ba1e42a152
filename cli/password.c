/*
 * password.c: what a process does about passwords: takes them out of the words
 * that `ps` shows, and asks a person for one.
 *
 * A person is there when standard error is a terminal and we are in its
 * foreground; then the question goes to the terminal itself, because standard
 * input may be data. Anywhere else nobody is asked: a job that waits for a key
 * that nobody will press is worse than an error.
 */
#include "cli.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void hide(char *text)
{
    memset(text, '*', strlen(text));
}

/* -p, bcp's -P and --password, their value apart or attached. */
static void hide_option(char *word, char *next)
{
    static const char name[] = "--password";
    const size_t length = sizeof name - 1;
    if (next && (strcmp(word, "-p") == 0 || strcmp(word, "-P") == 0 || strcmp(word, name) == 0))
        hide(next);
    else if (strncmp(word, name, length) == 0 && word[length] == '=')
        hide(word + length + 1);
    else if (strncmp(word, "-p", 2) == 0 || strncmp(word, "-P", 2) == 0)
        hide(word + 2);
}

char **words_take(int count, char **words)
{
    char **taken = calloc((size_t)count + 1, sizeof *taken);
    for (int i = 0; taken && i < count; i++)
        if (!(taken[i] = strdup(words[i]))) {
            words_wipe(i, taken);
            return NULL;
        }
    for (int i = 0; taken && i < count; i++) {
        haul_hide_passwords(words[i]);
        hide_option(words[i], i + 1 < count ? words[i + 1] : NULL);
    }
    return taken;
}

void words_wipe(int count, char **words)
{
    for (int i = 0; words && i < count; i++) {
        explicit_bzero(words[i], strlen(words[i]));
        free(words[i]);
    }
    free(words);
}

/* One line; false at its end of file or when it is too long. */
static bool read_line(int terminal, char *line, size_t size)
{
    size_t length = 0;
    char c;
    while (read(terminal, &c, 1) == 1) {
        if (c == '\n') {
            line[length] = '\0';
            return true;
        }
        if (length == size - 1)
            return false;
        line[length++] = c;
    }
    return false; /* also when a signal asked us to stop */
}

static bool ask_at(int terminal, const char *server, char *password, size_t size)
{
    struct termios before, hidden;
    char question[512];
    if (tcgetattr(terminal, &before))
        return false;
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    int length = snprintf(question, sizeof question, "Password for %s: ", server);
    length = length < (int)sizeof question ? length : (int)sizeof question - 1;
    if (tcsetattr(terminal, TCSAFLUSH, &hidden))
        return false;
    bool given = write(terminal, question, (size_t)length) == length && read_line(terminal, password, size);
    tcsetattr(terminal, TCSAFLUSH, &before);
    return write(terminal, "\n", 1) == 1 && given;
}

bool password_ask(void *user, const char *server, char *password, size_t password_bytes)
{
    (void)user;
    int terminal = isatty(STDERR_FILENO) ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    bool given = terminal >= 0 && tcgetpgrp(terminal) == getpgrp() &&
                 ask_at(terminal, server, password, password_bytes);
    if (terminal >= 0)
        close(terminal);
    return given;
}
