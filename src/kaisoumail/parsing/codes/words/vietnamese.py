"""Vietnamese."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        mã xác minh, mã xác thực, mã bảo mật, mã đăng nhập, mã otp, mã kích hoạt, mật khẩu một lần, mã dùng một
        lần, mã kiểm tra, mã an toàn, mật khẩu dùng một lần, mật khẩu tạm thời, mã đăng ký, mã đặt lại, mã số
        xác nhận
    """,
    shared="mã xác nhận, mã truy cập, mã pin",
    weak="dãy số, số này, mã là, nhập mã, mã số, mã này, mã sau, mã code, sử dụng mã, dùng mã",
    own="mã của bạn, mã của quý khách",
    your="của bạn, của quý khách",
    about="""
        thiết bị, giao dịch, hoàn tất, xác minh, xác thực, xác nhận, đăng nhập, bảo mật, đăng ký, danh tính,
        đặt lại mật khẩu, tài khoản
    """,
    enter="nhập, điền, vui lòng nhập, hãy nhập",
    use="sử dụng",
    other="""
        đơn hàng, mã đơn hàng, mã vận đơn, vận đơn, hóa đơn, mã hóa đơn, số hóa đơn, số điện thoại, điện thoại,
        hotline, tổng đài, mã bưu chính, mã khách hàng, khách hàng, mã đặt chỗ, đặt chỗ, chuyến bay, phòng,
        số tài khoản, số cuối, đuôi, số tiền, tổng cộng, tổng tiền, số dư, hợp đồng, vé, mã lỗi, mã vạch,
        mã nguồn, mã số thuế, mst, số, mã giao dịch, mã giới thiệu, mã nhận hàng, mã mời, mã yêu cầu, đường
    """,
    offer="""
        mã giảm giá, mã khuyến mãi, mã khuyến mại, giảm giá, khuyến mãi, ưu đãi, voucher, phiếu quà tặng,
        quà tặng, giỏ hàng, cuộc họp, mã ưu đãi
    """,
    stale="hết hạn, không hợp lệ, cũ, trước đó",
    place="cửa, bàn phím, tìm kiếm, tủ khóa, quầy",
    booking="đặt chỗ, đặt phòng, chuyến bay, bưu kiện, đơn hàng, giao hàng, biên lai, chuyến đi",
    unit="phút, giờ, giây, ngày, đồng, điểm, người, lần, đ, vnđ, phần trăm",
    confirm="""
        xác nhận, xác minh, xác thực, kích hoạt, hoàn tất đăng ký, vâng đó là tôi, đúng là tôi, đó là tôi,
        kích hoạt tài khoản
    """,
    sign_in="đăng nhập, liên kết đăng nhập, vào ngay",
    reset="""
        đặt lại mật khẩu, đặt lại, mật khẩu mới, đổi mật khẩu, tạo mật khẩu, tạo mật khẩu mới, đặt mật khẩu mới
    """,
    invite="chấp nhận lời mời, chấp nhận, tham gia, lời mời, xem lời mời",
    never="""
        hủy đăng ký, huỷ đăng ký, hủy nhận, bảo mật thông tin, điều khoản, trợ giúp, hỗ trợ, liên hệ,
        trình duyệt, cài đặt, tải xuống, không phải bạn, theo dõi, đơn hàng, từ chối, quyền riêng tư
    """,
)
