/*
 * command.c: a child by posix_spawn, its output through a pipe.
 *
 * The pipe is read in steps of POLL_MS, so that a cancelled run and a deadline
 * are kept. A child that closed its output but does not end is waited for with
 * the same deadline. SIGPIPE is as usual in the child, whatever it is here.
 */
#include "base/command.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 20

struct child {
    pid_t pid;
    int output;
    int64_t until_ns;
    const struct cancel *cancel;
};

static enum haul_code spawn(struct child *child, const char *line, const int ends[2], struct haul_error *err)
{
    char *const words[] = {"sh", "-c", (char *)(uintptr_t)line, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return error_nomem(err, "a command");
    if ((failed = posix_spawnattr_init(&how)) == 0) {
        failed = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF) ||
                 posix_spawnattr_setsigdefault(&how, &usual) ||
                 posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) ||
                 posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        failed = failed ? ENOMEM : posix_spawn(&child->pid, "/bin/sh", &actions, &how, words, environ);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed ? error_set_errno(err, failed, "/bin/sh") : HAUL_OK;
}

static enum haul_code check_time(const struct child *child, struct haul_error *err)
{
    if (child->cancel && atomic_load(&child->cancel->asked))
        return error_set(err, HAUL_CANCELLED, "cancelled");
    if (clock_now_ns() > child->until_ns)
        return error_set(err, HAUL_LOGIN, "it did not end in time");
    return HAUL_OK;
}

static enum haul_code read_all(struct child *child, char *out, size_t size, struct haul_error *err)
{
    size_t length = 0;
    for (;;) {
        struct pollfd wait = {.fd = child->output, .events = POLLIN};
        if (check_time(child, err))
            return err->code;
        if (poll(&wait, 1, POLL_MS) <= 0)
            continue;
        ssize_t got = read(child->output, out + length, size - length);
        if (got < 0 && errno != EINTR)
            return error_set_errno(err, errno, "its output");
        length += got > 0 ? (size_t)got : 0;
        if (length == size)
            return error_set(err, HAUL_LIMIT, "it printed more than %zu bytes", size - 1);
        if (got == 0)
            break;
    }
    out[length] = '\0';
    if (strlen(out) != length)
        return error_set(err, HAUL_DATA, "it printed a NUL");
    return HAUL_OK;
}

static enum haul_code wait_end(struct child *child, struct haul_error *err)
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(child->pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (check_time(child, err))
            return err->code;
        poll(NULL, 0, POLL_MS);
    }
    child->pid = 0;
    if (ended > 0 && WIFSIGNALED(status))
        return error_set(err, HAUL_LOGIN, "it was ended by signal %d", WTERMSIG(status));
    if (ended > 0 && WEXITSTATUS(status))
        return error_set(err, HAUL_LOGIN, "it ended with exit code %d", WEXITSTATUS(status));
    return HAUL_OK; /* a host that reaps our children itself: its output counts */
}

enum haul_code command_read(const char *line, const struct command_limits *limits, char *out, size_t size,
                            struct haul_error *err)
{
    int ends[2];
    struct child child = {.until_ns = clock_now_ns() + limits->wait_ms * 1000000, .cancel = limits->cancel};
    if (pipe2(ends, O_CLOEXEC))
        return error_set_errno(err, errno, "a pipe");
    child.output = ends[0];
    enum haul_code code = spawn(&child, line, ends, err);
    close(ends[1]);
    if (!code)
        code = read_all(&child, out, size, err);
    if (!code)
        code = wait_end(&child, err);
    if (child.pid > 0) { /* not waited for yet: it is no use any more */
        kill(-child.pid, SIGKILL);
        waitpid(child.pid, NULL, 0);
    }
    close(ends[0]);
    return code;
}
