// Replaces Deno's runtime for compiled programs, which cannot be downloaded here. `deno compile` appends a program to it,
// as to the real runtime. When it starts, it runs deno on the bundle of that program in PLACE, with the options of the task
// `compile`.
// It does not test how the real runtime finds its program, which variables it reads, and how fast it starts.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The directory of deno, of its cache, and of the scripts.
#ifndef PLACE
#define PLACE "/usr/local/lib/standin/"
#endif
#ifndef SERVER
#define SERVER "src/dist/server/server.js"
#endif
#ifndef CLIENT
#define CLIENT "src/dist/client/cli.js"
#endif

static char *server[] = {"deno", "run", "-q", "-A", "--no-code-cache", "--cached-only", "--no-check",
                         "--v8-flags=--max-semi-space-size=8", PLACE SERVER, NULL};
static char *client[] = {"deno", "run", "-q", "-P=cli", "--no-prompt", "--no-code-cache", "--cached-only", "--no-check",
                         PLACE CLIENT, NULL};

int main(int argc, char **argv) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) return 125;
  self[length] = 0;
  char **first = strcmp(strrchr(self, '/') + 1, "teleportd") == 0 ? server : client;
  int count = 0;
  while (first[count] != NULL) count++;
  char **all = calloc(count + argc + 1, sizeof *all);
  memcpy(all, first, count * sizeof *all);
  memcpy(all + count, argv + 1, argc * sizeof *all);
  setenv("DENO_DIR", PLACE "deno_dir", 1);
  setenv("DENO_NO_UPDATE_CHECK", "1", 1);
  execv(PLACE "deno", all);
  perror(PLACE "deno");
  return 127;
}
