/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A number that an outside meter writes into a file, as the options tell: a wall meter, a BMC's exporter. */
#include "core/text.h"
#include "core/units.h"
#include "platform/parse.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest number is a double with 17 digits, an exponent and a unit. */
enum { TEXT_BYTES = 64, NAME_BYTES = 32 };
/* 1 MW: a rack has a tenth of it, and a file in another unit than was said is a thousand times off. */
#define CEILING_MW UINT64_C(1000000000)

/* raw = number × 10^shift; raw × num / den is µJ, or mW. */
typedef struct {
    const char *word;
    int32_t kind;
    int shift;
    uint64_t num, den;
} unit;

static const unit units[] = {{"J", EM_KIND_COUNTER, 6, 1, 1},   {"kJ", EM_KIND_COUNTER, 9, 1, 1},
                             {"mJ", EM_KIND_COUNTER, 3, 1, 1},  {"uJ", EM_KIND_COUNTER, 0, 1, 1},
                             {"Wh", EM_KIND_COUNTER, 9, 18, 5}, {"kWh", EM_KIND_COUNTER, 12, 18, 5},
                             {"W", EM_KIND_GAUGE, 6, 1, 1000},  {"kW", EM_KIND_GAUGE, 9, 1, 1000},
                             {"mW", EM_KIND_GAUGE, 3, 1, 1000}, {"uW", EM_KIND_GAUGE, 0, 1, 1000}};
enum { UNITS = sizeof units / sizeof units[0] };

static const char *const domains[] = {[EM_DOMAIN_CPU] = "cpu",
                                      [EM_DOMAIN_GPU] = "gpu",
                                      [EM_DOMAIN_DRAM] = "dram",
                                      [EM_DOMAIN_PLATFORM] = "platform",
                                      [EM_DOMAIN_OTHER] = "other"};
enum { DOMAINS = sizeof domains / sizeof domains[0] };

typedef struct {
    em__device base;
    em__host *host;
    const unit *unit;
    int ends_lines;         /* a text without its newline is half written */
    uint64_t raw, moved_ns; /* of a counter: where it stood, and since when */
    uint64_t offset;        /* from what it shows to what is given on */
    int is_started, is_odd; /* the last reading was one that could not be */
} file_device;

/* ---------------------------------------------------------------------------------------------------------- reading */

/* The path is followed each time: what writes whole files puts a new one in the place of the old. */
static int read_text(em__host *host, const char *path, char *text, size_t size)
{
    em__file *file;
    int error = host->ops->open(host, path, &file);
    if (error < 0) {
        return error;
    }
    int length = host->ops->read(file, text, size);
    host->ops->close(file);
    return length == (int)size ? -EFBIG : length;
}

static int read_number(const file_device *device, int *ret_ends_line, uint64_t *ret_raw, uint64_t *ret_step)
{
    char text[TEXT_BYTES];
    const em__channel *channel = &device->base.channels[0];
    uint64_t raw;
    int length = read_text(device->host, channel->source, text, sizeof text);
    if (length < 0) {
        return length;
    }
    if (em__parse_quantity(text, (size_t)length, device->unit->word, device->unit->shift, &raw, ret_step) < 0) {
        return length == 0 ? -ENODATA : -EILSEQ;
    }
    if (device->unit->kind == EM_KIND_GAUGE && em__scale(raw, device->unit->num, device->unit->den) > CEILING_MW) {
        return -ERANGE;
    }
    *ret_ends_line = text[length - 1] == '\n';
    *ret_raw = raw;
    return 0;
}

/* Back, or further than any power brings it in the time since it moved last. */
static int is_possible(const file_device *device, uint64_t raw, uint64_t now_ns)
{
    const em__channel *channel = &device->base.channels[0];
    uint64_t step = raw - device->raw, since_ns = now_ns - device->moved_ns;
    return raw >= device->raw && em__scale(step > channel->unit ? step - channel->unit : 0, channel->scale_num,
                                           channel->scale_den) <= em__scale(since_ns, CEILING_MW, EM__MW_NS_PER_UJ);
}

/* What cannot be is half written, or the meter began anew: at the second time it is the latter. A jump forward is given on
 * as a step back, which everybody takes for a reset. */
static em__reading count(file_device *device, uint64_t raw)
{
    uint64_t now_ns = device->host->ops->monotonic_ns(device->host);
    if (device->is_started && !is_possible(device, raw, now_ns)) {
        if (!device->is_odd) {
            device->is_odd = 1;
            return (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_RESET};
        }
        device->offset = raw > device->raw ? device->raw + device->offset - raw - 1 : device->offset;
    }
    device->moved_ns = raw != device->raw || !device->is_started ? now_ns : device->moved_ns;
    device->raw = raw;
    device->is_started = 1;
    device->is_odd = 0;
    return (em__reading){.value = raw + device->offset};
}

static void file_read(em__device *base, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    file_device *device = (file_device *)base;
    uint64_t raw, step;
    int ends_line;
    if (base->channels[0].status != EM_OK) {
        out[0] = (em__reading){.outcome = EM__READ_GONE, .status = base->channels[0].status};
        return;
    }
    int error = read_number(device, &ends_line, &raw, &step);
    if (error < 0 || ends_line < device->ends_lines) {
        /* Whoever writes it may put it back at any moment: it is never given up. */
        out[0] = (em__reading){.outcome = EM__READ_AGAIN,
                               .status = error < 0 ? em__reading_failed(error).status : EM_ERR_READ};
    } else if (device->unit->kind == EM_KIND_COUNTER) {
        out[0] = count(device, raw);
    } else {
        out[0] = (em__reading){.value = raw};
    }
}

static void file_destroy(em__device *base)
{
    file_device *device = (file_device *)base;
    em__host_unref(device->host);
    em__device_free_channels(base);
    free(device);
}

static const em__device_ops file_ops = {.read = file_read, .destroy = file_destroy};

/* ---------------------------------------------------------------------------------------------------------- probing */

static void explain(int error, const char *word, em__channel *channel)
{
    static const struct {
        int error;
        int32_t status;
        const char *text;
    } reasons[] = {
        {-EACCES, EM_ERR_PERMISSION, "this user may not read it; sudo chmod a+r it, and a+x the folders above"},
        {-EPERM, EM_ERR_PERMISSION, "this user may not read it; sudo chmod a+r it, and a+x the folders above"},
        {-ENOENT, EM_ERR_NOT_SUPPORTED, "there is no such file; start what writes it, or correct the path"},
        {-ENOTDIR, EM_ERR_NOT_SUPPORTED, "there is no such file; start what writes it, or correct the path"},
        {-EISDIR, EM_ERR_NOT_SUPPORTED, "it is a folder; give the file in it that holds the number"},
        {-EINVAL, EM_ERR_NOT_SUPPORTED, "it is no regular file; have the number written into one"},
        {-ENODATA, EM_ERR_BROKEN, "it is empty; start what writes it"},
        {-EFBIG, EM_ERR_BROKEN, "it holds more than one number; give a file with the number alone"},
        {-ERANGE, EM_ERR_BROKEN, "it shows more than 1 MW; give the unit that it is in"}};
    int is_number = error != -EILSEQ;
    channel->status = EM_ERR_BROKEN;
    em__print(channel->reason, sizeof channel->reason, "%.160s: %s%s%s", channel->source,
              is_number ? "it cannot be read: " : "it holds no number in ", is_number ? strerror(-error) : word,
              is_number ? "" : "; give a file with the number alone, and its unit");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].error == error) {
            channel->status = reasons[i].status;
            em__print(channel->reason, sizeof channel->reason, "%.160s: %s", channel->source, reasons[i].text);
        }
    }
}

static int add_file(em__host *host, const em_file *file, const unit *in, int32_t domain, const char *name,
                    em__probe *probe)
{
    uint64_t raw, step;
    int ends_line;
    file_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &file_ops, &em__sensor_file, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->host = em__host_ref(host);
    made->unit = in;
    em__channel *channel = &made->base.channels[0];
    em__copy(channel->name, sizeof channel->name, name);
    em__copy(channel->source, sizeof channel->source, file->path);
    channel->domain = domain;
    channel->kind = in->kind;
    channel->covers = domain == EM_DOMAIN_PLATFORM ? EM__COVERS_PLATFORM : EM__COVERS_DOMAIN;
    channel->thing = em__probe_thing(probe);
    channel->scale_num = in->num;
    channel->scale_den = in->den;
    channel->may_rest = 1;
    channel->ceiling_mw = in->kind == EM_KIND_GAUGE ? CEILING_MW : 0;
    channel->gain = 0.05;
    int error = read_number(made, &ends_line, &raw, &step);
    if (error < 0) {
        explain(error, in->word, channel);
    } else {
        made->ends_lines = ends_line;
        channel->unit = step;
    }
    return em__probe_add(probe, &made->base);
}

/* ---------------------------------------------------------------------------------------------------- what was asked */

static const char some_units[] = "a counter has J, kJ, mJ, uJ, Wh or kWh, a gauge has W, kW, mW or uW";
static const char some_names[] = "give each file a name of its own, of 1 to 31 letters, digits, '.', '_' or '-'";
static const char some_domains[] = "give \"platform\", \"cpu\", \"gpu\", \"dram\" or \"other\"";
static const char some_paths[] = "give a path that begins with '/' and has 1 to 255 bytes";

__attribute__((format(printf, 5, 6))) static int refuse(em_error *error, size_t index, const char *member,
                                                        const char *remedy, const char *text, ...)
{
    char words[sizeof error->text];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(words, sizeof words, text, arguments);
    va_end(arguments);
    error->status = EM_ERR_INVALID;
    em__print(error->argument, sizeof error->argument, "files[%zu].%s", index, member);
    em__print(error->text, sizeof error->text, "files[%zu].%s %s", index, member, words);
    em__copy(error->remedy, sizeof error->remedy, remedy);
    return EM_ERR_INVALID;
}

static int is_in_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
}

/* "platform/NAME"; without a name the file's own, with an underscore for what no name may have. */
static int name_file(const em_file *file, int32_t domain, char *name, size_t size)
{
    const char *own = strrchr(file->path, '/') + 1, *from = file->name ? file->name : own;
    size_t length = strlen(from), prefix;
    em__print(name, size, "%s/", domains[domain]);
    prefix = strlen(name);
    if (length == 0 || (file->name && length >= NAME_BYTES)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < length && i < NAME_BYTES - 1; i++) {
        if (!is_in_name(from[i]) && file->name) {
            return -EINVAL;
        }
        name[prefix + i] = is_in_name(from[i]) ? from[i] : '_';
        name[prefix + i + 1] = '\0';
    }
    return 0;
}

static const unit *unit_named(const char *word)
{
    for (size_t i = 0; word && i < UNITS; i++) {
        if (strcmp(units[i].word, word) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static int32_t domain_named(const char *word)
{
    for (int32_t i = 0; i < DOMAINS; i++) {
        if (strcmp(domains[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

static const em__channel *channel_named(const em__probe *probe, size_t first, const char *name)
{
    for (size_t i = first; i < probe->device_count; i++) {
        if (strcmp(probe->devices[i]->channels[0].name, name) == 0) {
            return &probe->devices[i]->channels[0];
        }
    }
    return NULL;
}

static int take_file(em__host *host, const em__selection *selection, size_t index, size_t first, em__probe *probe)
{
    const em_file *file = &selection->files[index];
    em_error *error = selection->error;
    char name[EM__NAME_SIZE];
    size_t length = file->path ? strnlen(file->path, EM__SOURCE_SIZE) : 0;
    if (length == 0 || length == EM__SOURCE_SIZE || file->path[0] != '/') {
        return refuse(error, index, "path", some_paths, "is \"%.80s\"", file->path ? file->path : "");
    }
    const unit *in = unit_named(file->unit);
    if (!in) {
        return refuse(error, index, "unit", some_units, "is \"%.40s\"", file->unit ? file->unit : "");
    }
    const char *kind = in->kind == EM_KIND_COUNTER ? "counter" : "gauge";
    if (file->kind && strcmp(file->kind, kind) != 0) {
        return refuse(error, index, "kind", some_units, "is \"%.40s\", and %s is the unit of a %s", file->kind,
                      in->word, kind);
    }
    int32_t domain = file->domain ? domain_named(file->domain) : EM_DOMAIN_PLATFORM;
    if (domain < 0) {
        return refuse(error, index, "domain", some_domains, "is \"%.40s\"", file->domain);
    }
    if (name_file(file, domain, name, sizeof name) < 0) {
        return refuse(error, index, "name", some_names, "is \"%.80s\"", file->name ? file->name : "");
    }
    const em__channel *twin = channel_named(probe, first, name);
    if (twin) {
        return refuse(error, index, "name", some_names, "makes \"%s\", which %.120s has already", name, twin->source);
    }
    return add_file(host, file, in, domain, name, probe);
}

static int file_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    size_t first = probe->device_count;
    if (selection->file_count == 0) {
        return em__probe_absent(
            probe, &em__sensor_file, EM_ERR_NOT_SELECTED,
            "where a meter of another kind writes its number into a file, name it: --file PATH,unit=W",
            "the options name no file");
    }
    for (size_t i = 0; i < selection->file_count; i++) {
        int status = take_file(host, selection, i, first, probe);
        if (status != EM_OK) {
            return status;
        }
    }
    return em__probe_explain(probe, &em__sensor_file, first, "see what writes the file, and name its path and unit",
                             "");
}

const em__sensor em__sensor_file = {"file", 46, file_probe};
