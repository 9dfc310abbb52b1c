/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * smb=FOLDER: Samba's server is started for each connection to the address 10.0.2.4, with a configuration of its
 * own in a folder that goes with the back end (smbd(8), smb.conf(5)).
 */
#include "net/net_user_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *find_smbd(void)
{
    static const char *const places[] = {"/usr/sbin/smbd", "/usr/local/sbin/smbd", "/usr/bin/smbd"};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (!access(places[i], X_OK))
            return places[i];
    return NULL;
}

static int write_config(const char *dir, const char *share, const char *user, struct err *e)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/smb.conf", dir);
    if (!(f = fopen(path, "we")))
        return err_set(e, -errno, "Could not create samba server configuration file '%s': %s", path,
                       strerror(errno));
    fprintf(
        f,
        "[global]\n"
        "private dir=%s\ninterfaces=127.0.0.1\nbind interfaces only=yes\npid directory=%s\n"
        "lock directory=%s\nstate directory=%s\ncache directory=%s\nncalrpc dir=%s/ncalrpc\n"
        "log file=%s/log.smbd\nsmb passwd file=%s/smbpasswd\nsecurity=user\nmap to guest=Bad User\n"
        "load printers=no\nprinting=bsd\ndisable spoolss=yes\nusershare max shares=0\n"
        "[qemu]\npath=%s\nread only=no\nguest ok=yes\nforce user=%s\n",
        dir, dir, dir, dir, dir, dir, dir, dir, share, user);
    if (fclose(f))
        return err_set(e, -EIO, "Could not write '%s'", path);
    return 0;
}

static void remove_tree(int at, const char *name, int depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    for (struct dirent *it; d && (it = readdir(d));) {
        if (!strcmp(it->d_name, ".") || !strcmp(it->d_name, ".."))
            continue;
        if (unlinkat(fd, it->d_name, 0) < 0 && depth)
            remove_tree(fd, it->d_name, depth - 1);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    unlinkat(at, name, AT_REMOVEDIR);
}

int user_smb_open(struct user *u, struct err *e)
{
    char dir[] = "/tmp/qemu-smb.XXXXXX", command[512];
    const struct passwd *user = getpwuid(geteuid());
    const char *smbd = find_smbd();
    struct stat st;

    if (!u->smb)
        return 0;
    if (!smbd)
        return err_set(e, -ENOENT, "Could not find '/usr/sbin/smbd', please install it");
    if (stat(u->smb, &st) < 0 || !S_ISDIR(st.st_mode) || access(u->smb, R_OK | X_OK) < 0)
        return err_set(e, -errno, "Could not access shared directory '%s': %s", u->smb,
                       strerror(errno));
    if (strpbrk(u->smb, "\n\r") || !user)
        return err_set(e, -EINVAL, "smb=: a folder's name is one line, and the user has one");
    if (!mkdtemp(dir) || !(u->smb_dir = strdup(dir)))
        return err_set(e, -errno, "could not create samba server dir: %s", strerror(errno));
    if (write_config(dir, u->smb, user->pw_name, e) < 0)
        return e->code;
    snprintf(command, sizeof(command), "%s -l %s -s %s/smb.conf", smbd, dir, dir);
    if (slirp_add_exec(u->slirp, command, &u->smb_addr, 139) < 0 ||
        slirp_add_exec(u->slirp, command, &u->smb_addr, 445) < 0)
        return err_set(e, -EINVAL, "Conflicting/invalid smbserver address");
    return 0;
}

void user_smb_close(struct user *u)
{
    if (u->smb_dir)
        remove_tree(AT_FDCWD, u->smb_dir, 4);
    free(u->smb_dir);
}
