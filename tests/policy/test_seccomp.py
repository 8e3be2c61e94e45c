"""The seccomp profile: what it must be like, what it refuses in a real container, and what runs under it."""

import ctypes
import errno
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.policy import seccomp
from tests.harness import Server, gone
from tests.strategies import unhurried

TEXT: Final = Path("policies/seccomp.json").read_text(encoding="utf-8")
SHIPPED: Final[dict[str, Any]] = json.loads(TEXT)


# The file


def problems(**change: object) -> list[str]:
    """What is wrong with the shipped profile when this is changed."""
    return list(seccomp.problems(json.dumps({**SHIPPED, **change})))


def test_the_shipped_profile_is_a_boundary() -> None:
    """The file of this repository keeps every rule."""
    assert list(seccomp.problems(TEXT)) == []


def test_every_group_says_what_it_is_for() -> None:
    """An auditor reads sentences, not only names."""
    assert [row for row in SHIPPED["syscalls"] if not row["comment"].endswith(".")] == []


def test_a_call_stands_in_one_place() -> None:
    """But for those whose arguments decide: rows of one call are alternatives."""
    plain = [name for row in SHIPPED["syscalls"] if "args" not in row for name in row["names"]]
    filtered = {name for row in SHIPPED["syscalls"] if "args" in row for name in row["names"]}
    assert (len(plain), filtered & set(plain)) == (len(set(plain)), set())


@pytest.mark.parametrize("action", ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "scmp_act_errno", None, 1, []])
def test_a_profile_that_lets_through_what_it_does_not_name_is_refused(action: object) -> None:
    """A list of what is forbidden is out of date with the next kernel."""
    said = "defaultAction must deny what the profile does not name: write SCMP_ACT_ERRNO"
    assert problems(defaultAction=action) == [said]


@pytest.mark.parametrize("action", ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"])
def test_a_profile_may_deny_in_other_ways(action: str) -> None:
    """Each of them ends the call."""
    assert problems(defaultAction=action) == []


@pytest.mark.parametrize(
    "name", ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_S390"]
)
def test_architectures_of_32_bits_are_refused(name: str) -> None:
    """There, socketcall hides a socket's family behind a pointer, where no filter can look."""
    said = f"{name} must not be there: its programs make calls that no argument filter can read; remove it"
    assert problems(architectures=["SCMP_ARCH_X86_64", name]) == [said]
    assert problems(archMap=[{"architecture": name}]) == [said]
    assert problems(archMap=[{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": [name]}]) == [said]


def test_a_misspelt_key_is_refused() -> None:
    """Docker would take it, or pass over it, in silence."""
    assert problems(DefaultAction="SCMP_ACT_ALLOW") == ["'DefaultAction' is unknown: did you mean defaultAction?"]


@pytest.mark.parametrize("text", ["", "{", "nul", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    """With the parser's own words."""
    (said,) = seccomp.problems(text)
    assert said.startswith("must be JSON: ")


@pytest.mark.parametrize("text", ["[]", "null", "1", '"SCMP_ACT_ERRNO"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    """A profile is a table."""
    assert list(seccomp.problems(text)) == ["must be a JSON object"]


json_values: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.sampled_from(["SCMP_ACT_ERRNO", "SCMP_ARCH_X86"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(sorted(SHIPPED)), inner, max_size=4)
    ),
)


@unhurried
@given(st.one_of(st.text(), json_values.map(json.dumps)))
def test_whatever_the_text_it_is_judged(text: str) -> None:
    """Problems are sentences; no exception leaves the check."""
    assert all(isinstance(found, str) for found in seccomp.problems(text))


# What is refused inside

CALL: Final = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    ctypes.set_errno(0)
    result = libc.syscall(*(ctypes.c_ulong(number % 2**64) for number in numbers))
    return 0 if result != -1 else ctypes.get_errno()
print(json.dumps([call(*numbers) for numbers in json.loads(sys.stdin.read())]))
"""
"""Makes system calls by their numbers; says the errno of each, 0 where it succeeded."""

EPERM, ENOSYS = errno.EPERM, errno.ENOSYS
DENIED: Final[dict[str, tuple[int, ...]]] = {
    "io_uring_setup": (1, 0),
    "io_uring_enter": (-1,),
    "io_uring_register": (-1,),
    "io_setup": (1, 0),
    "io_submit": (0,),
    "splice": (-1,),
    "tee": (-1,),
    "vmsplice": (-1,),
    "sync": (),
    "syncfs": (0,),
    "memfd_create": (0,),
    "memfd_secret": (0,),
    "ptrace TRACEME": (0,),
    "ptrace ATTACH": (16, 1),
    "process_vm_readv": (1,),
    "process_vm_writev": (1,),
    "process_madvise": (-1,),
    "process_mrelease": (-1,),
    "pidfd_getfd": (-1, 0),
    "kcmp": (1, 1),
    "get_robust_list": (1,),
    "keyctl": (0,),
    "add_key": (0,),
    "request_key": (0,),
    "bpf": (0,),
    "perf_event_open": (0,),
    "userfaultfd": (1,),
    "seccomp": (0,),
    "landlock_create_ruleset": (0, 0, 1),
    "landlock_add_rule": (-1,),
    "landlock_restrict_self": (-1,),
    "fanotify_init": (0,),
    "fanotify_mark": (-1,),
    "mount": (0,),
    "umount2": (0,),
    "pivot_root": (0,),
    "chroot": (0,),
    "open_tree": (-100,),
    "move_mount": (-1,),
    "fsopen": (0,),
    "fsconfig": (-1,),
    "fsmount": (-1,),
    "fspick": (-1,),
    "mount_setattr": (-1,),
    "name_to_handle_at": (-100,),
    "open_by_handle_at": (-100,),
    "quotactl": (0,),
    "quotactl_fd": (-1,),
    "setxattr": (0,),
    "lsetxattr": (0,),
    "fsetxattr": (-1,),
    "removexattr": (0,),
    "mknod file": (0, 0o100644),
    "mknod without a type": (0, 0o644),
    "mknod character device": (0, 0o020644, 0x103),
    "mknod block device": (0, 0o060644, 0x800),
    "mknod socket": (0, 0o140644),
    "mknodat file": (-100, 0, 0o100644),
    "mknodat character device": (-100, 0, 0o020644, 0x103),
    "mknodat block device": (-100, 0, 0o060644, 0x800),
    "unshare nothing": (0,),
    "unshare user": (0x10000000,),
    "setns": (-1, 0),
    "clone new mount": (0x00020011,),
    "clone new cgroup": (0x02000011,),
    "clone new uts": (0x04000011,),
    "clone new ipc": (0x08000011,),
    "clone new user": (0x10000011,),
    "clone new pid": (0x20000011,),
    "clone new net": (0x40000011,),
    "init_module": (0,),
    "finit_module": (-1,),
    "delete_module": (0,),
    "kexec_load": (0,),
    "kexec_file_load": (-1,),
    "reboot": (0,),
    "swapon": (0,),
    "swapoff": (0,),
    "acct": (0,),
    "syslog": (10,),
    "settimeofday": (0,),
    "clock_settime": (0,),
    "adjtimex": (0,),
    "clock_adjtime": (0,),
    "sethostname": (0,),
    "setdomainname": (0,),
    "iopl": (0,),
    "ioperm": (0,),
    "vhangup": (),
    "modify_ldt": (0,),
    "mbind": (0,),
    "set_mempolicy": (0,),
    "get_mempolicy": (0,),
    "migrate_pages": (1,),
    "move_pages": (1,),
    "mincore": (0, 0),
    "remap_file_pages": (0,),
    "pkey_alloc": (0,),
    "mq_open": (0,),
    "mq_unlink": (0,),
    "setuid": (0,),
    "setgid": (0,),
    "setreuid": (-1, -1),
    "setregid": (-1, -1),
    "setgroups": (0,),
    "setresuid": (-1, -1, -1),
    "setresgid": (-1, -1, -1),
    "setfsuid": (0,),
    "setfsgid": (0,),
    "personality no randomisation": (0x0040000,),
    "personality 32 bits": (8,),
    "personality old kernel": (0x0020000,),
    "prlimit64 of PID 1": (1, 0, 0, 0),
    "setpriority of PID 1": (0, 1, 19),
    "setpriority of the group": (1, 0, 19),
    "setpriority of the uid": (2, 0, 19),
    "sched_setscheduler of PID 1": (1, 3, 0),
    "sched_setparam of PID 1": (1, 0),
    "sched_setattr of PID 1": (1, 0, 0),
    "ioprio_set": (1, 0, 0),
    "uselib": (0,),
    "ustat": (0,),
    "sysfs": (3,),
    "lookup_dcookie": (0,),
    "nfsservctl": (0,),
    "socketpair netlink": (16, 3, 0, 0),
    "socket SCTP": (2, 1, 132),
    "socket SCTP by its type": (2, 5, 0),
    "socket MPTCP": (2, 1, 262),
    "socket SMC": (2, 1, 256),
    "socket DCCP": (2, 6, 33),
    "socket UDP-Lite": (2, 2, 136),
    "socket raw": (2, 3, 1),
    "socket raw IPv6": (10, 3, 58),
    "socket SCTP IPv6": (10, 1, 132),
    "socket with bits above": (2 + 2**32, 1, 0),
}
"""The call, and what it is -> arguments."""
NEWER: Final[dict[str, tuple[int, ...]]] = {
    "clone3": (435, 0, 0),
    "set_mempolicy_home_node": (450, 0),
    "cachestat": (451, 0),
    "map_shadow_stack": (453, 0),
    "statmount": (457, 0),
    "listmount": (458, 0),
    "lsm_get_self_attr": (459, 0),
    "setxattrat": (463, 0),
    "open_tree_attr": (467, 0),
    "no such call": (600,),
}
"""Number, the same on every machine, and arguments. Refused as not there, or, where the engine's libraries are older
than the call, as not permitted."""


def number(name: str) -> int:
    """Of a call on this machine, as the engine's own library knows it; below 0 where this machine has no such call."""
    found: int = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name(name.encode())
    return found


NUMBERED: Final = {what: (number(what.split()[0]), *arguments) for what, arguments in DENIED.items()}
HERE: Final = {what: numbers for what, numbers in NUMBERED.items() if numbers[0] >= 0}


X86_64: Final = os.uname().machine == "x86_64"


def test_no_call_is_left_out() -> None:
    """Other machines have never had some of them; one that is misspelled has no number anywhere."""
    assert HERE == NUMBERED or not X86_64


@pytest.fixture(scope="module")
def refused(server: Server) -> dict[str, int]:
    """Errno of each call, made by one program."""
    calls = HERE | NEWER
    result = server.run("python", CALL, json.dumps(list(calls.values())))
    assert result["reason"] == "completed", result
    return dict(zip(calls, json.loads(result["stdout"]), strict=True))


@pytest.mark.parametrize("name", HERE)
def test_a_call_that_is_not_on_the_list_is_refused(refused: dict[str, int], name: str) -> None:
    """EPERM, whatever its arguments."""
    assert refused[name] == EPERM


@pytest.mark.parametrize("name", NEWER)
def test_a_call_that_is_newer_than_the_list_is_not_there(refused: dict[str, int], name: str) -> None:
    """ENOSYS, so that a C library takes the older call; of clone3 in any case."""
    assert refused[name] in ({ENOSYS} if name == "clone3" else {ENOSYS, EPERM})


def test_sockets_are_unix_tcp_and_udp(server: Server) -> None:
    """Every family with every type, up to what kernels will have in years: only these open."""
    tried = [(family, kind) for family in range(64) for kind in range(1, 11)]
    result = server.run("python", CALL, json.dumps([(number("socket"), *pair, 0) for pair in tried]))
    errors = dict(zip(tried, json.loads(result["stdout"]), strict=True))
    unix = {(1, 1), (1, 2), (1, 3), (1, 5)}
    assert {pair for pair, error in errors.items() if error == 0} == unix | {(2, 1), (2, 2), (10, 1), (10, 2)}
    assert {error for (family, _), error in errors.items() if family != 1 and error} == {EPERM}


BITS: Final = r"""
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A program of 32 bits: getpid, then exit(7).
#ifdef __x86_64__
#define MACHINE 3
#define CODE 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xb8, 1, 0, 0, 0, 0xbb, 7, 0, 0, 0, 0xcd, 0x80
#else
#define MACHINE 40
#define CODE 20, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef, 7, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef
#endif
const unsigned char elf[] = {
    0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, MACHINE, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08,
    0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0x34, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08, 0x70, 0, 0, 0, 0x70, 0, 0, 0, 5, 0, 0, 0,
    0, 0x10, 0, 0, CODE};

template <class F> void child(const char *name, F f) {
    pid_t pid = fork();
    if (pid == 0) _exit(f());
    int status;
    waitpid(pid, &status, 0);
    std::printf("%s %d\n", name, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
}

int main() {
#ifdef __x86_64__
    child("int80", [] { long r; asm volatile("int $0x80" : "=a"(r) : "a"(20) : "memory"); return r > 0 ? 7 : 0; });
    child("x32", [] { return syscall(0x40000000 | 39) > 0 ? 7 : errno; });
#endif
    child("elf", [] {
        std::ofstream("small", std::ios::binary).write((const char *)elf, sizeof elf);
        chmod("small", 0755);
        execl("./small", "small", (char *)nullptr);
        return errno;
    });
}
"""


def test_the_doors_of_32_bits_are_shut(server: Server) -> None:
    """A program of i386 or ARM, int 0x80, x32: killed at its first call, or refused where the kernel has none."""
    result = server.run("cpp", BITS)
    assert result["reason"] == "completed", result
    ends = dict(line.split() for line in result["stdout"].splitlines())
    sigsys, sigsegv = "-31", "-11"
    shut = {"elf": {sigsys, str(errno.ENOEXEC)}, "int80": {sigsys, sigsegv}, "x32": {sigsys, str(ENOSYS)}}
    assert {*ends} == ({*shut} if X86_64 else {"elf"})
    assert {name: end for name, end in ends.items() if end not in shut[name]} == {}


# What runs all the same

RUNS: Final = {
    "asyncio": """
import asyncio
async def main():
    process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    return (await process.communicate(b"hi"))[0]
assert asyncio.run(main()) == b"hi"
""",
    "asyncio streams": """
import asyncio
async def echo(reader, writer): writer.write(await reader.read(2)); writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hi")
    return await reader.read()
assert asyncio.run(main()) == b"hi"
""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
assert list(ThreadPoolExecutor(8).map(abs, range(100))) == list(range(100))
""",
    "multiprocessing": """
import multiprocessing
assert multiprocessing.Pool(3).map(abs, range(-9, 0)) == list(range(9, 0, -1))
queue, lock, value = multiprocessing.Queue(), multiprocessing.Lock(), multiprocessing.Value("i", 0)
def work():
    with lock: value.value += 1
    queue.put(1)
workers = [multiprocessing.Process(target=work) for _ in range(3)]
for worker in workers: worker.start()
assert sum(queue.get() for _ in workers) == value.value == 3
for worker in workers: worker.join()
""",
    "shared memory": """
from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=1 << 20)
memory.buf[0] = 7
other = SharedMemory(memory.name)
assert other.buf[0] == 7
other.close(); memory.close(); memory.unlink()
""",
    "sqlite3": """
import sqlite3
for name in (":memory:", "file.db"):
    base = sqlite3.connect(name)
    base.execute("pragma journal_mode=wal"); base.execute("create table t (x)")
    base.execute("insert into t values (7)"); base.commit()
    assert base.execute("select x from t").fetchall() == [(7,)]
""",
    "ssl": """
import hashlib, secrets, ssl, uuid
assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED
assert len(hashlib.sha256(secrets.token_bytes(9)).hexdigest()) == 64 and uuid.uuid1() != uuid.uuid4()
""",
    "files": """
import fcntl, mmap, os, pathlib, shutil, tempfile
with tempfile.TemporaryDirectory() as folder:
    a, b = pathlib.Path(folder, "a"), pathlib.Path(folder, "b")
    a.write_text("x" * 5000); shutil.copy2(a, b); shutil.copytree(folder, folder + ".copy")
    os.utime(b); os.chown(b, -1, -1)
    assert b.read_text() == a.read_text() and os.access(a, os.R_OK)
    with b.open("r+") as file: fcntl.flock(file, fcntl.LOCK_EX); assert mmap.mmap(file.fileno(), 0)[:1] == b"x"
    os.mkfifo("fifo"); os.link(a, "link"); os.symlink("link", "soft"); os.rename("soft", "softer")
""",
    "processes": """
import os, resource, signal, subprocess, time
assert subprocess.run(["sh", "-c", "echo $((6 * 7)) | cat"], capture_output=True).stdout == b"42\\n"
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.nice(1); os.sched_setaffinity(0, os.sched_getaffinity(0))
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
pid = os.posix_spawn("/bin/true", ["true"], {}); assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
time.sleep(0.01); resource.getrusage(resource.RUSAGE_SELF); os.getloadavg(); os.sysconf("SC_NPROCESSORS_ONLN")
""",
    "names": """
import locale, platform, pwd, socket, time, zoneinfo
assert socket.getaddrinfo("localhost", 80, proto=socket.IPPROTO_TCP) and socket.gethostname() == "sandbox"
platform.platform(); time.tzset(); locale.setlocale(locale.LC_ALL, "")
a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
""",
}

ALL: Final = r"""
#include <bits/stdc++.h>
#include <sys/shm.h>
int main() {
    std::mutex mutex;
    int sum = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 8; n++) threads.emplace_back([&, n] { std::lock_guard guard(mutex); sum += n; });
    for (auto &thread : threads) thread.join();
    auto later = std::async(std::launch::async, [] { return std::random_device{}() >= 0u; });
    std::filesystem::create_directories("a/b");
    std::ofstream("a/b/c") << "text";
    std::filesystem::copy("a", "d", std::filesystem::copy_options::recursive);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    bool shared = shmget(0x77, 4096, IPC_CREAT | 0600) >= 0;
    std::cout << sum << later.get() << std::filesystem::file_size("d/b/c") << std::system("true") << shared << '\n';
}
"""


@pytest.mark.parametrize("what", RUNS)
def test_python_runs_under_it(server: Server, what: str) -> None:
    """Ordinary programs miss nothing."""
    result = server.run("python", RUNS[what])
    assert (result["reason"], result["stderr"]) == ("completed", "")


def test_the_compiler_and_threads_run_under_it(server: Server) -> None:
    """g++ with its precompiled header, std::thread, std::async, std::filesystem, shmget."""
    result = server.run("cpp", ALL)
    assert (result["reason"], result["stdout"]) == ("completed", "281401\n"), result


# Neighbours

TAKE: Final = """
import ctypes, fcntl, os, signal, time
libc = ctypes.CDLL(None)
def all_of(take):
    taken = 0
    try:
        while take(): taken += 1
    except OSError: pass
    return taken
fresh = fcntl.fcntl(os.pipe()[0], fcntl.F_GETPIPE_SZ)
watches = all_of(lambda: libc.inotify_init() >= 0)
def widest():
    return fcntl.fcntl(os.pipe()[0], fcntl.F_SETPIPE_SZ, 1 << 20)
pipes = all_of(widest)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
signals = all_of(lambda: libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), 0) == 0)
print(fresh, watches, pipes, signals, flush=True)
time.sleep(max(0, 1.5 - time.monotonic() + float(open("begun").read())))
"""


def test_what_one_program_takes_of_its_uid_is_not_its_neighbours(server: Server) -> None:
    """Inotify instances, pages of pipes, pending signals: limits per uid, and each container has a uid of its own."""
    code = "import time; open('begun', 'w').write(str(time.monotonic()))\n" + TAKE
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.run, "python", code)
        time.sleep(0.5)
        second = pool.submit(server.run, "python", code)
        results = [first.result(), second.result()]
    assert [result["reason"] for result in results] == ["completed", "completed"], results
    assert results[0]["stdout"] == results[1]["stdout"]
    fresh, watches, pipes, signals = map(int, results[0]["stdout"].split())
    most = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    assert fresh == 65536
    assert watches >= min(most, 200)  # 256 files are open at most
    assert pipes >= 1
    assert signals > 1000
    assert all(gone(result["id"]) for result in results)
