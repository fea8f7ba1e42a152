/*
 * context.c: what everything that opens something is handed: cancellation, the
 * note callback and the CPU's features, which are asked for once.
 */
#include "base/context.h"
#include <stdarg.h>
#include <stdio.h>

#define NOTE_BYTES 2048

void context_init(struct context *context)
{
    *context = (struct context){0};
#if defined(__x86_64__)
    __builtin_cpu_init();
    context->cpu.avx2 = __builtin_cpu_supports("avx2") != 0;
    context->cpu.pclmul = __builtin_cpu_supports("pclmul") != 0;
    context->cpu.bmi2 = __builtin_cpu_supports("bmi2") != 0;
#endif
}

enum haul_code context_check(const struct context *context, struct haul_error *err)
{
    if (!context->cancel)
        return HAUL_OK;
    int asked = atomic_load_explicit(&context->cancel->asked, memory_order_relaxed);
    if (__builtin_expect(asked == 0, 1))
        return HAUL_OK;
    if (asked == 1)
        return error_set(err, HAUL_CANCELLED, "interrupted; run the same command again to go on");
    return error_set(err, HAUL_CANCELLED, "stopped because another worker failed");
}

__attribute__((format(printf, 3, 0))) static void note_send(const struct context *context, bool warning,
                                                            const char *format, va_list args)
{
    char message[NOTE_BYTES];
    if (!context->note || vsnprintf(message, sizeof message, format, args) < 0)
        return;
    context->note(context->note_user, warning, message);
}

void context_note(const struct context *context, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_send(context, false, format, args);
    va_end(args);
}

void context_warn(const struct context *context, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_send(context, true, format, args);
    va_end(args);
}
