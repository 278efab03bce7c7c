// Loaded into a worker by LD_PRELOAD: opening a text with a certain word in it kills the
// process, as a bug in a parser would.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int EVP_DecryptUpdate(void *ctx, unsigned char *out, int *out_len,
                      const unsigned char *in, int in_len);

int EVP_DecryptUpdate(void *ctx, unsigned char *out, int *out_len,
                      const unsigned char *in, int in_len)
{
    int (*real)(void *, unsigned char *, int *, const unsigned char *, int);

    *(void **)&real = dlsym(RTLD_NEXT, "EVP_DecryptUpdate");
    int ok = real(ctx, out, out_len, in, in_len);
    if (ok && out && memmem(out, (size_t)*out_len, "poison apple", 12))
        abort();
    return ok;
}
