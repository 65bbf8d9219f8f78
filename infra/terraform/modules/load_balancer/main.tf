resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:On by default; a trial may do without, see the variable deletion_protection
  #checkov:skip=CKV2_AWS_76:The rule known-bad in firewall.tf is it; the check does not follow for_each
  #checkov:skip=CKV2_AWS_28:On by default; without a limit there is no firewall, see the variable requests_per_address
  name               = var.name
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  idle_timeout               = var.idle_timeout_seconds
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  # The server takes the last address of X-Forwarded-For that is not a proxy's.
  xff_header_processing_mode = "append"
  enable_deletion_protection = var.deletion_protection

  access_logs {
    bucket  = var.logs_bucket
    prefix  = "load-balancer"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:The server speaks HTTP; between load balancer and tasks lie private subnets and security groups alone
  name        = var.name
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 8080

  deregistration_delay = var.deregistration_delay_seconds
  # No stickiness: any task answers, and asks the owner of the event where that is another one.
  load_balancing_algorithm_type = "round_robin"

  # Readiness is asked on the internal port, which the listener never leads to. ECS replaces tasks that are unhealthy
  # here, and a task is not ready while Postgres fails over (one to two minutes): so it takes 150 seconds.
  health_check {
    port                = "9464"
    protocol            = "HTTP"
    path                = "/readyz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.ssl_policy
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}
