using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;

namespace Rpat.Engine.Gpu;

/// <summary>
/// Matrix products by NVIDIA's cuBLAS, queued on a device's own stream, as a baseline for kernels. Both factors are float32 in memory and
/// are rounded according to the device's precision. The library belongs to the CUDA toolkit; only benchmarks need it.
/// </summary>
public sealed class GemmYardstick : IDisposable
{
    private const int Whole = 0; // CUBLAS_OP_N
    private const int Float32 = 0; // CUDA_R_32F
    private const int DefaultAlgorithm = -1; // CUBLAS_GEMM_DEFAULT

    private readonly CuBlas _library;
    private readonly nint _multiply;
    private readonly int _compute;

    private GemmYardstick(CuBlas library, nint multiply, Precision precision)
    {
        (_library, _multiply) = (library, multiply);
        _compute = precision switch // cublasComputeType_t
        {
            Precision.Fp32 => 68, // CUBLAS_COMPUTE_32F
            Precision.Tf32 => 77, // CUBLAS_COMPUTE_32F_FAST_TF32
            _ => 75, // CUBLAS_COMPUTE_32F_FAST_16BF
        };
    }

    /// <summary>The library's version number.</summary>
    public int Version => _library.Version;

    /// <summary>Queues C = A·B of row-major matrices.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">[M, K].</param>
    /// <param name="b">[K, N].</param>
    /// <param name="c">[M, N].</param>
    /// <exception cref="DeviceUnavailableException">The library refuses.</exception>
    public unsafe void Queue(int m, int n, int k, DeviceBuffer a, DeviceBuffer b, DeviceBuffer c)
    {
        // The library's matrices are column-major: it gets Cᵀ = Bᵀ·Aᵀ.
        float one = 1, zero = 0;
        // handle; operations; sizes; α; B, its type and row length; A, the same; β; C, the same; kind of arithmetic; algorithm
        var multiply = (delegate* unmanaged<
            nint, int, int, int, int, int, void*, nint, int, int, nint, int, int, void*, nint, int, int, int, int, int>)_multiply;
        _library.Stream.Accelerator.Bind();
        int status = multiply(
            _library.Handle, Whole, Whole, n, m, k,
            &one, Address(b), Float32, n, Address(a), Float32, k, &zero, Address(c), Float32, n, _compute, DefaultAlgorithm);
        if (status != 0) throw new DeviceUnavailableException($"cuBLAS answers {(CuBlasStatus)status} to a product of {m}x{n}x{k}: report "
            + "it with the output of 'rpat devices'.");
    }

    /// <inheritdoc/>
    public void Dispose() => _library.Dispose();

    /// <summary>Loads the library for a stream.</summary>
    internal static GemmYardstick? Open(CudaAccelerator accelerator, CudaStream stream, Precision precision, out string? why)
    {
        AlgorithmLibraries.Find();
        CuBlas? library = null;
        try
        {
            library = new CuBlas(accelerator) { Stream = stream };
            why = null;
            return new GemmYardstick(library, NativeLibrary.GetExport(AlgorithmLibraries.CuBlas, "cublasGemmEx"), precision);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            why = "cuBLAS 11 to 13 was not found: install CUDA's toolkit, or put the folder of libcublas on LD_LIBRARY_PATH";
        }
        catch (CuBlasException e)
        {
            why = $"cuBLAS answers {e.Error}";
        }
        library?.Dispose();
        return null;
    }

    private static nint Address(DeviceBuffer buffer) => buffer.Floats().LoadEffectiveAddressAsPtr();
}
