# What a program can see and do inside: run as the program of a container by `python -m runner verify`.
#
#   stdin    bounds: `pids N`, `memory BYTES`, `tmpfs PATH BYTES FILES` (0: not to be filled)
#   stdout   one line an observation: NAME, tab, error number (0: it worked; below 0: a signal), tab, text
#            with %XX for whatever is not printable ASCII; lists are separated by NUL
#
# It says what it saw; runner/proof/proofs.py judges. Every attempt ends by itself a little above its bound, so that a limit
# that is missing does not hurt the host. Only perl-base is used: every Debian has it.
use strict;
use warnings;
use POSIX ();

my $MB = 1 << 20;
my $EFBIG = 27;
my %call =
    (POSIX::uname())[4] eq 'x86_64'  ? (ptrace => 101, mount => 165, unshare => 272)
  : (POSIX::uname())[4] eq 'aarch64' ? (ptrace => 117, mount => 40,  unshare => 97)
  :                                    ();
$SIG{PIPE} = $SIG{XFSZ} = 'IGNORE';

my (%bound, %tmpfs);
while (<STDIN>) {
    my ($name, @values) = split;
    if   ($name eq 'tmpfs') { $tmpfs{ $values[0] } = [ @values[1, 2] ] }
    else                    { $bound{$name} = $values[0] }
}

descriptors();
saw('env', 0, join "\0", map { "$_=$ENV{$_}" } sort keys %ENV);
saw('cwd', reads_link('/proc/self/cwd'));
saw("ns:$_", reads_link("/proc/self/ns/$_")) for qw(cgroup ipc mnt net pid uts);
saw("file:$_", contents($_)) for (
    map({ "/proc/self/$_" } qw(status limits mountinfo cgroup oom_score_adj attr/current)),
    map({ "/proc/net/$_" } qw(dev route ipv6_route)),
    map({ "/proc/sys/kernel/$_" } qw(hostname domainname)),
    '/etc/resolv.conf',
    map({ "/sys/fs/cgroup/$_" }    # cgroup v1, then v2
        qw(memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes),
        qw(cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.shares pids/pids.max),
        qw(memory.max memory.swap.max memory.low cpu.max cpu.weight pids.max)),
);
for my $path (sort keys %tmpfs) { saw("mode:$path", 0, sprintf '%o', (stat $path)[2] & 07777) if -d $path }
writable_mounts();
files_of_the_image();

attempt('write:/', sub { open my $file, '>', '/.probe' });
attempt('connect', \&connects);
attempt('signal', \&signals_a_child);
for my $family (16, 38, 40) { attempt("socket:$family", sub { socket my $opened, $family, $family == 40 ? 1 : 3, 0 }) }
if (%call) {
    my ($none, $path, $type) = ('none', '/tmp', 'tmpfs');
    attempt('mount', sub { syscall($call{mount}, $none, $path, $type, 0, 0) == 0 });
    attempt('unshare', sub { syscall($call{unshare}, 0x10000000) == 0 });               # CLONE_NEWUSER
    attempt('ptrace', sub { syscall($call{ptrace}, 0x4206, 1, 0, 0) == 0 });             # PTRACE_SEIZE: does not stop PID 1
}
processes($bound{pids}) if $bound{pids};
fill($_, @{ $tmpfs{$_} }) for grep { -d && $tmpfs{$_}[0] } sort keys %tmpfs;
memory($bound{memory}) if $bound{memory};
saw('end', 0, '');

sub saw {
    my ($name, $error, $text) = @_;
    $text //= '';
    $text =~ s/([^ -~]|%)/sprintf '%%%02X', ord $1/ge;
    syswrite STDOUT, "$name\t$error\t$text\n";
}

sub contents {
    my ($path) = @_;
    local $/;
    open my $file, '<', $path or return $! + 0;
    my $text = <$file>;
    return defined $text ? (0, $text) : $! + 0;
}

sub reads_link {
    my ($path) = @_;
    my $to = readlink $path;
    return defined $to ? (0, $to) : $! + 0;
}

sub descriptors {
    opendir my $folder, '/proc/self/fd' or return saw('descriptors', $! + 0);
    my $own = readlink('/proc/self') . '/fd';
    saw('descriptors', 0, join "\0", sort grep { /\d/ && (readlink "/proc/self/fd/$_" // '') !~ /\Q$own\E$/ } readdir $folder);
}

# Mounts without `ro` in which something can be made or that can be opened for writing. A device is no place to write.
# In a cgroup nobody makes files, but folders: each is a cgroup.
sub writable_mounts {
    my ($error, $text) = contents('/proc/self/mountinfo');
    return if $error;
    my @found;
    for (split /\n/, $text) {
        my ($path, $options) = (split)[4, 5];
        next if $options =~ /\bro\b/;
        $path =~ s/\\(\d{3})/chr oct $1/ge;
        my $file = "$path/.probe";
        if (-d $path) {
            my $made = sysopen(my $opened, $file, 0101, 0600) ? unlink $file : mkdir($file) && rmdir $file;    # O_CREAT | O_WRONLY
            push @found, $path if $made;
        }
        elsif (-f _)  { push @found, $path if open my $opened, '+<', $path }
    }
    saw('writable', 0, join "\0", @found);
}

# Walks the image's own file system for setuid and setgid files, and for sockets.
sub files_of_the_image {
    my $device = (lstat '/')[0];
    my @folders = ('');
    my (@setuid, @sockets);
    push @sockets, grep { -S } '/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock';
    while (defined(my $folder = pop @folders)) {
        opendir my $handle, "$folder/" or next;
        for (readdir $handle) {
            next if $_ eq '.' || $_ eq '..';
            my ($dev, $mode) = (lstat "$folder/$_")[0, 2];
            next if !defined $dev || $dev != $device;
            if    (-d _)                      { push @folders, "$folder/$_" }
            elsif (-S _)                      { push @sockets, "$folder/$_" }
            elsif (-f _ && $mode & 06000)     { push @setuid, "$folder/$_" }
        }
    }
    saw('setuid', 0, join "\0", @setuid);
    saw('sockets', 0, join "\0", @sockets);
}

# Whether a TCP connection to 192.0.2.1 (an address that belongs to nobody) can be begun; not blocking.
sub connects {
    socket(my $socket, 2, 1 | 2048, 0) or return 0;
    return connect $socket, pack 'S n C4 x8', 2, 9, 192, 0, 2, 1;
}

# Whether a signal to a child is let through; where it is not, the child ends by itself a second later.
sub signals_a_child {
    my $pid = fork // return 0;
    if ($pid == 0) { sleep 1; POSIX::_exit(0) }
    my $sent = kill TERM => $pid;
    waitpid $pid, 0;
    return $sent;
}

# Tries something in a process of its own; the error number is the observation.
sub attempt {
    my ($name, $try) = @_;
    my $pid = fork // return;
    if ($pid == 0) { POSIX::_exit($try->() ? 0 : $! + 0) }
    waitpid $pid, 0;
    saw($name, $? & 127 ? -($? & 127) : $? >> 8);
}

# How many processes there were, PID 1 and this one with them, when one more was refused.
sub processes {
    my ($limit) = @_;
    my ($error, @children) = (0);
    while (@children + 2 < $limit + 8) {
        my $pid = fork;
        if (!defined $pid) { $error = $! + 0; last }
        if ($pid == 0)     { sleep 5; POSIX::_exit(0) }
        push @children, $pid;
    }
    kill KILL => @children;
    waitpid $_, 0 for @children;
    saw('processes', $error, @children + 2);
}

# How many bytes, and then how many files, a tmpfs took.
sub fill {
    my ($path, $bytes, $files) = @_;
    my $chunk = "\1" x $MB;
    my ($error, $written, $file, @made) = (0, 0);
    while (!$error && $written <= $bytes) {
        if (!$file) { push @made, "$path/.probe" . @made; open $file, '>', $made[-1] or $error = $! + 0 }
        next if $error;
        my $done = syswrite $file, $chunk;
        if    ($done)                                  { $written += $done }
        elsif ($! == $EFBIG && -s $file)               { undef $file }          # the limit of a file: go on in another
        else                                           { $error = $! + 0 }
    }
    unlink @made;
    saw("bytes:$path", $error, $written);

    ($error, @made) = (0);
    while (@made < $files + 8) {
        open my $empty, '>', "$path/.probe" . @made or $error = $! + 0;
        last if $error;
        push @made, "$path/.probe" . @made;
    }
    unlink @made;
    saw("files:$path", $error, scalar @made);
}

# How many bytes a process wrote to before it was killed.
sub memory {
    my ($limit) = @_;
    pipe my $from, my $to or return;
    my $pid = fork // return;
    if ($pid == 0) {
        my $chunk = "\1" x $MB;
        my @held;
        for (1 .. $limit / $MB + 16) { push @held, $chunk . '.'; syswrite $to, '.' }
        POSIX::_exit(0);
    }
    close $to;
    my ($text, $held) = ('', 0);
    $held += length $text while sysread $from, $text, 4096;
    waitpid $pid, 0;
    saw('memory', -($? & 127), $held * $MB);
}
