/* What a power loss leaves: an image of every file as it was when it was last synced.
 *
 * Loaded into the gate with LD_PRELOAD. Writes below POWER_DIR are remembered by file and range; `fsync` and `fdatasync`
 * carry what was written since the last one over to the same file below POWER_IMAGE, and only then return. Whoever kills
 * the process and puts the image in the folder's place has what a machine would have that lost its power at that instant
 * and whose disk kept nothing that it had not promised. Renames and removals are kept at once, as journaling file systems
 * keep them in order.
 *
 * POWER_LIE names an ending of file names whose syncs do nothing: a disk that lies, or a program that does not sync.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct range { off_t from, to; struct range *next; };
struct file { char path[PATH_MAX]; struct range *dirty; off_t shortest; struct file *next; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static char dir[PATH_MAX], image[PATH_MAX];
static const char *lie;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *from = getenv("POWER_DIR"), *to = getenv("POWER_IMAGE");
    if (!from || !to || !realpath(from, dir) || !realpath(to, image)) abort();
    lie = getenv("POWER_LIE");
}

/* The path of an open file below the folder; 0 for any other, and for SQLite's shared memory, which is made anew. */
static int named(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    size_t below = strlen(dir);
    if (strncmp(path, dir, below) || path[below] != '/') return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

static void in_image(const char *path, char *there) {
    snprintf(there, PATH_MAX, "%.*s%s", PATH_MAX / 2, image, path + strlen(dir));
}

static struct file *of(const char *path) {
    for (struct file *file = files; file; file = file->next)
        if (!strcmp(file->path, path)) return file;
    struct file *file = calloc(1, sizeof *file);
    if (!file) abort();
    strcpy(file->path, path);
    file->shortest = -1;
    file->next = files;
    return files = file;
}

static void wrote(int fd, off_t from, ssize_t length) {
    char path[PATH_MAX];
    int kept = errno;
    if (length > 0 && named(fd, path)) {
        pthread_mutex_lock(&lock);
        struct file *file = of(path);
        if (file->dirty && file->dirty->to == from) {
            file->dirty->to += length;
        } else {
            struct range *range = malloc(sizeof *range);
            if (!range) abort();
            *range = (struct range){from, from + length, file->dirty};
            file->dirty = range;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

static void cut(int fd, off_t length) {
    char path[PATH_MAX];
    int kept = errno;
    if (named(fd, path)) {
        pthread_mutex_lock(&lock);
        struct file *file = of(path);
        if (file->shortest < 0 || length < file->shortest) file->shortest = length;
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

static void carry(int from, int to, struct range *range) {
    static char bytes[1 << 16];
    for (off_t at = range->from; at < range->to;) {
        size_t most = range->to - at < (off_t)sizeof bytes ? (size_t)(range->to - at) : sizeof bytes;
        ssize_t got = pread(from, bytes, most, at);
        if (got <= 0) return;
        if (REAL(pwrite)(to, bytes, got, at) != got) abort();
        at += got;
    }
}

static void keep(const char *path) {
    char there[PATH_MAX];
    struct stat now;
    in_image(path, there);
    pthread_mutex_lock(&lock);
    struct file *file = of(path);
    int from = REAL(open)(path, O_RDONLY), to = REAL(open)(there, O_WRONLY | O_CREAT, 0600);
    if (from >= 0 && to >= 0 && !fstat(from, &now)) {
        if (file->shortest >= 0 && REAL(ftruncate)(to, file->shortest)) abort();
        for (struct range *range = file->dirty; range;) {
            struct range *next = range->next;
            carry(from, to, range);
            free(range);
            range = next;
        }
        file->dirty = 0;
        file->shortest = -1;
        if (REAL(ftruncate)(to, now.st_size)) abort();
    }
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    pthread_mutex_unlock(&lock);
}

static int synced(int fd) {
    char path[PATH_MAX];
    struct stat what;
    if (!named(fd, path) || fstat(fd, &what) || !S_ISREG(what.st_mode)) return 0;
    size_t length = strlen(path), ending = lie ? strlen(lie) : 0;
    if (ending && length >= ending && !strcmp(path + length - ending, lie)) return 0;
    keep(path);
    return 0;
}

int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t done = REAL(write)(fd, bytes, length);
    wrote(fd, lseek(fd, 0, SEEK_CUR) - done, done);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t done = REAL(writev)(fd, parts, count);
    wrote(fd, lseek(fd, 0, SEEK_CUR) - done, done);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    ssize_t done = REAL(pwrite)(fd, bytes, length, at);
    wrote(fd, at, done);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return pwrite(fd, bytes, length, at); }

int ftruncate(int fd, off_t length) {
    int done = REAL(ftruncate)(fd, length);
    if (!done) cut(fd, length);
    return done;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

static int opened(int fd, int flags) {
    if (fd >= 0 && flags & O_TRUNC) cut(fd, 0);
    return fd;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list all; va_start(all, flags); mode = va_arg(all, mode_t); va_end(all); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(REAL(open)(path, flags, mode), flags); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(REAL(open64)(path, flags, mode), flags); }

/* A path as the image has it; 0 where it is not below the folder. */
static int mirrored(const char *path, char *there) {
    char whole[PATH_MAX], folder[PATH_MAX], plain[PATH_MAX];
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(whole, path);
    char *last = strrchr(whole, '/');
    if (!last) return 0;
    *last = 0;
    if (!realpath(*whole ? whole : "/", folder)) return 0;
    size_t below = strlen(dir);
    if (strncmp(folder, dir, below) || (folder[below] && folder[below] != '/')) return 0;
    snprintf(plain, sizeof plain, "%.*s/%s", PATH_MAX / 2, folder, last + 1);
    in_image(plain, there);
    return 1;
}

/* What is written through a file is known by its path, so that it follows a rename. */
static void forget(const char *path) {
    for (struct file *file = files; file; file = file->next)
        if (!strcmp(file->path, path)) file->path[0] = 0;
}

int rename(const char *from, const char *to) {
    char there[PATH_MAX], then[PATH_MAX], plain[PATH_MAX];
    int done = REAL(rename)(from, to);
    if (!done && mirrored(from, there) && mirrored(to, then)) {
        REAL(rename)(there, then);
        pthread_mutex_lock(&lock);
        snprintf(plain, sizeof plain, "%.*s%s", PATH_MAX / 2, dir, there + strlen(image));
        forget(plain);
        pthread_mutex_unlock(&lock);
    }
    return done;
}

int unlink(const char *path) {
    char there[PATH_MAX];
    int tracked = mirrored(path, there), done = REAL(unlink)(path);
    if (!done && tracked) REAL(unlink)(there);
    return done;
}
