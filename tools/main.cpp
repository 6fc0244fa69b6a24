#include "tools/program.h"

int main(int argc, char** argv) { return keyshift::tools::run_program(argc, argv); }
