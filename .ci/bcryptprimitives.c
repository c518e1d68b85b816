/* wine 8 lacks bcryptprimitives.dll, which Rust's std needs for its random seed. Built beside the test programs by `.ci/cross`. */
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
