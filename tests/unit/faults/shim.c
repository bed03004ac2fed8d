/* Preloaded, it fails the n-th system call of a kind on files below a folder: see machine.py.
 * Calls are counted from arm() on, over all threads; files elsewhere are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, SYNC, RENAME, READ, MAP, CREATE, KINDS };

static char root[PATH_MAX];
static int armed_kind = -1, armed_error, armed_sticky;
static long armed_nth, counted[KINDS];

/* error 0: half of the bytes are done, as a call may do at any time. */
void faults_arm(const char *folder, int kind, long nth, int error, int sticky) {
    snprintf(root, sizeof root, "%s/", folder);
    memset(counted, 0, sizeof counted);
    armed_nth = nth, armed_error = error, armed_sticky = sticky, armed_kind = kind;
}

long faults_seen(int kind) { return counted[kind]; }

static int is_below(const char *path) { return root[0] && !strncmp(path, root, strlen(root)); }

static int is_ours(int fd) {
    char link[32], path[PATH_MAX];
    struct stat about;
    if (!root[0] || fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return 0;
    path[len] = 0;
    return is_below(path);
}

/* Whether this call is the one that fails. */
static int fails(int kind) {
    long nth = __atomic_fetch_add(&counted[kind], 1, __ATOMIC_SEQ_CST);
    return kind == armed_kind && (nth == armed_nth || (armed_sticky && nth > armed_nth));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MOVED(kind, fd, size, call)                                  \
    do {                                                             \
        if (is_ours(fd) && fails(kind)) {                            \
            if (armed_error) return errno = armed_error, -1;         \
            size_t half = ((size) + 1) / 2;                          \
            (void)half;                                              \
            return call(half);                                       \
        }                                                            \
        return call(size);                                           \
    } while (0)

ssize_t write(int fd, const void *data, size_t size) {
#define CALL(n) REAL(write)(fd, data, n)
    MOVED(WRITE, fd, size, CALL);
#undef CALL
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
#define CALL(n) REAL(pwrite64)(fd, data, n, at)
    MOVED(WRITE, fd, size, CALL);
#undef CALL
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_ours(fd) && fails(WRITE)) {
        if (armed_error) return errno = armed_error, -1;
        return REAL(write)(fd, parts[0].iov_base, (parts[0].iov_len + 1) / 2);
    }
    return REAL(writev)(fd, parts, count);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) {
#define CALL(n) REAL(sendfile64)(out, in, offset, n)
    MOVED(WRITE, out, size, CALL);
#undef CALL
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
#define CALL(n) REAL(copy_file_range)(in, from, out, to, n, flags)
    MOVED(WRITE, out, size, CALL);
#undef CALL
}

ssize_t read(int fd, void *data, size_t size) {
#define CALL(n) REAL(read)(fd, data, n)
    MOVED(READ, fd, size, CALL);
#undef CALL
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
#define CALL(n) REAL(pread64)(fd, data, n, at)
    MOVED(READ, fd, size, CALL);
#undef CALL
}

void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t at) {
    if (fd >= 0 && is_ours(fd) && fails(MAP)) return errno = armed_error, MAP_FAILED;
    return REAL(mmap64)(where, size, protection, flags, fd, at);
}

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t at) {
    if (fd >= 0 && is_ours(fd) && fails(MAP)) return errno = armed_error, MAP_FAILED;
    return REAL(mmap)(where, size, protection, flags, fd, at);
}

int fsync(int fd) {
    if (is_ours(fd) && fails(SYNC)) return errno = armed_error, -1;
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    if (is_ours(fd) && fails(SYNC)) return errno = armed_error, -1;
    return REAL(fdatasync)(fd);
}

int rename(const char *from, const char *to) {
    if (is_below(to) && fails(RENAME)) return errno = armed_error, -1;
    return REAL(rename)(from, to);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    char absolute[PATH_MAX];
    if ((flags & O_ACCMODE) != O_RDONLY && root[0]) {
        if (path[0] != '/' && getcwd(absolute, sizeof absolute / 2)) {
            strcat(strcat(absolute, "/"), path);
        } else {
            snprintf(absolute, sizeof absolute, "%s", path);
        }
        if (is_below(absolute) && fails(CREATE)) return errno = armed_error, -1;
    }
    return REAL(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}
