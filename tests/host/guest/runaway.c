// The programs of tests/support/runaways.ts that a shell cannot be. Deno takes seconds to start on an emulated processor.
//   runaway detached COMMAND…   starts a command in its own session, which keeps the output, and exits
//   runaway regrouped COMMAND…  starts a command in its own process group, and exits
//   runaway chain COUNT         starts itself again COUNT times by vfork(2), and exits each time. The last one sleeps
//   runaway headless            prints its pid and ends only its first thread
//   runaway sleeper             prints its pid and sleeps
//   runaway ignorer             does the same, and ignores every signal except SIGKILL and SIGSTOP
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 125;
}

// Starts a command without input. The parent continues when the command runs.
static int start(char **command, int (*prepare)(void)) {
  pid_t pid = vfork();
  if (pid == 0) {
    if (prepare != NULL && prepare() != 0) _exit(125);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0) _exit(125);
    execvp(command[0], command);
    _exit(125);
  }
  return pid < 0 ? fail("vfork") : 0;
}

static int own_session(void) { return setsid() < 0; }
static int own_group(void) { return setpgid(0, 0); }

static void print_pid(void) {
  printf("%d\n", getpid());
  fflush(stdout);
}

static void *sleep_on(void *nothing) {
  sleep(1000);
  exit(0);
}

static int headless(void) {
  pthread_t other;
  if (pthread_create(&other, NULL, sleep_on, NULL) != 0) return fail("pthread_create");
  print_pid();
  syscall(SYS_exit, 0);
  return 125;
}

static int sleeper(void) {
  print_pid();
  sleep(1000);
  return 0;
}

static int ignorer(void) {
  int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_IGN);
  return sleeper();
}

static int chain(const char *count) {
  int left = atoi(count);
  char *last[] = {"/proc/self/exe", "sleeper", NULL};
  if (left <= 0) return start(last, NULL);
  char rest[16];
  snprintf(rest, sizeof rest, "%d", left - 1);
  char *next[] = {"/proc/self/exe", "chain", rest, NULL};
  return start(next, NULL);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "headless") == 0) return headless();
  if (argc == 2 && strcmp(argv[1], "sleeper") == 0) return sleeper();
  if (argc == 2 && strcmp(argv[1], "ignorer") == 0) return ignorer();
  if (argc == 3 && strcmp(argv[1], "chain") == 0) return chain(argv[2]);
  if (argc > 2 && strcmp(argv[1], "detached") == 0) return start(argv + 2, own_session);
  if (argc > 2 && strcmp(argv[1], "regrouped") == 0) return start(argv + 2, own_group);
  return 2;
}
