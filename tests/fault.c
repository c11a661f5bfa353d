/* A disk that fails while a program runs on it.
 *
 * Loaded into the gate with LD_PRELOAD. Files below FAULT_DIR do what the word in the file FAULT_FILE says, for as long as
 * it says so: `stall` (writes and syncs wait), `full` (writes fail with ENOSPC), `readonly` (with EROFS, as on a file system
 * that the kernel has remounted), `sync` (syncs fail with EIO). Without the file, or with it empty, they do what they always do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static char dir[PATH_MAX];
static const char *word_file;

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("FAULT_DIR");
    word_file = getenv("FAULT_FILE");
    if (!where || !word_file || !realpath(where, dir)) abort();
}

/* Whether the file is open below the folder. SQLite's shared memory is memory. */
static int below(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(dir);
    if (strncmp(path, dir, prefix) || path[prefix] != '/') return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

static int is(const char *wanted) {
    char word[16] = {0};
    int fd = REAL(open)(word_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t length = read(fd, word, sizeof word - 1);
    close(fd);
    return length > 0 && !strncmp(word, wanted, strlen(wanted));
}

/* Whether the call on this file fails, with errno set. Waits while the disk hangs. */
static int fails(int fd, int syncing) {
    int error = 0, kept = errno;
    if (below(fd)) {
        while (is("stall")) usleep(5000);
        if (syncing) error = is("sync") ? EIO : 0;
        else error = is("full") ? ENOSPC : is("readonly") ? EROFS : 0;
    }
    errno = error ? error : kept;
    return error;
}

#define WRITING(fd, call) return fails(fd, 0) ? -1 : (call)
#define SYNCING(fd, call) return fails(fd, 1) ? -1 : (call)

ssize_t write(int fd, const void *bytes, size_t length) { WRITING(fd, REAL(write)(fd, bytes, length)); }
ssize_t writev(int fd, const struct iovec *parts, int count) { WRITING(fd, REAL(writev)(fd, parts, count)); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { WRITING(fd, REAL(pwrite)(fd, bytes, length, at)); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { WRITING(fd, REAL(pwrite64)(fd, bytes, length, at)); }
int ftruncate(int fd, off_t length) { WRITING(fd, REAL(ftruncate)(fd, length)); }
int ftruncate64(int fd, off64_t length) { WRITING(fd, REAL(ftruncate64)(fd, length)); }
int fsync(int fd) { SYNCING(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { SYNCING(fd, REAL(fdatasync)(fd)); }
